# The image contains the bundle, on the distroless image of Node.js 24, which has no shell and no package manager.
#   docker build -t registry.example.com/arc-primer:0.2.0 .
# The bundle is plain JavaScript. So it is built once, on the platform of the build machine. For another platform, only the last
# stage differs, and that stage runs no commands.
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

# The user nonroot has the ID 65532.
FROM gcr.io/distroless/nodejs24-debian13:nonroot
COPY LICENSE /app/
COPY --from=build /src/dist /app
USER 65532:65532
EXPOSE 10250 8080
ENTRYPOINT ["/nodejs/bin/node", "/app/arc-primer.mjs"]
CMD ["serve"]
