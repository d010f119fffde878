# The image: the bundle on Node 24 of distroless, which has no shell and no package manager.
#   docker build -t registry.example.com/arc-primer:0.1.0 .
# The bundle is plain JavaScript, so it is built once, on the platform of the machine that builds; for another platform
# only the last stage differs, and nothing runs in it.
FROM --platform=$BUILDPLATFORM docker.io/library/node:24 AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY build.mjs tsconfig.json ./
COPY scripts/bundled.mjs scripts/pod-script.ts scripts/
COPY scripts/licences scripts/licences
COPY src src
COPY test/golden test/golden
RUN node build.mjs

# nonroot is 65532.
FROM gcr.io/distroless/nodejs24-debian13:nonroot
COPY LICENSE /app/
COPY --from=build /src/dist /app
USER 65532:65532
EXPOSE 10250 8080
ENTRYPOINT ["/nodejs/bin/node", "/app/arc-primer.mjs"]
CMD ["serve"]
