# syntax=docker/dockerfile:1
FROM node:26-trixie-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image brings its own Node; the one among the devDependencies is for machines that have another.
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev

FROM dependencies AS prepared
COPY src ./src
# A first start restores this database instead of initialising one.
RUN node src/storage/prepare.ts
# And it finds everything compiled: Node keeps that where the service has been ready once.
RUN NODE_COMPILE_CACHE=/app/node_modules/.cache/compiled DATA_DIRECTORY=/tmp/first PORT=0 LOG_FILE= METRICS_SNAPSHOT_FILE= \
  timeout --signal=TERM 15 node --max-semi-space-size=8 src/main.ts || true

FROM node:26-trixie-slim
# Beyond loopback without keys only because AUTH=none says so: put it behind something that asks who is there.
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=3000 \
    AUTH=none \
    DATA_DIRECTORY=/data \
    LOG_FILE= \
    METRICS_SNAPSHOT_FILE= \
    NODE_COMPILE_CACHE=/app/node_modules/.cache/compiled
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=prepared --chown=1000:1000 /app/node_modules/.cache ./node_modules/.cache
COPY src ./src
COPY package.json openapi.yaml ./
RUN mkdir -p /data && chown 1000:1000 /data && rm -rf /usr/local/lib/node_modules/npm
USER 1000:1000
VOLUME /data
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 3000) + '/livez').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# It handles its signals and spawns no children, so it can be process 1.
# Less room for young objects: some 12 MB less after a start, for up to a tenth of CPU when tokens come flat out.
CMD ["node", "--max-semi-space-size=8", "src/main.ts"]
