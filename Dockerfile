# webchat in a container. The process runs as a user that can write to /data only.
FROM rust:slim-bookworm AS build
WORKDIR /webchat
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/*
COPY . .
# `make build` installs the other packages that it needs.
RUN make build

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin webchat \
    && install --directory --owner=webchat --mode=700 /data
COPY --from=build /webchat/target/release/webchat /usr/local/bin/webchat
# Environment variables instead of arguments, so that `webchat health` uses the same values.
ENV WEBCHAT_LISTEN=0.0.0.0:8080 WEBCHAT_DATA_DIR=/data
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["webchat", "health"]
ENTRYPOINT ["webchat"]
