# The image: the bundle on Node 24 of distroless, which has no shell and no package manager.
#   docker build -t registry.example.com/arc-primer:0.1.0 .
FROM docker.io/library/node:24 AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY build.mjs tsconfig.json ./
COPY src src
RUN npm run build

# nonroot is 65532.
FROM gcr.io/distroless/nodejs24-debian13:nonroot
COPY --from=build /src/dist /app
USER 65532:65532
EXPOSE 10250 8080
ENTRYPOINT ["/nodejs/bin/node", "/app/arc-primer.mjs"]
CMD ["serve"]
