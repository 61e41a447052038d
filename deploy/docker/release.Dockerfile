# syntax=docker/dockerfile:1
# The image of a release: the same as Dockerfile's, around the program that the
# release built, so that image and archives hold the same bytes.
FROM --platform=$BUILDPLATFORM busybox:1.37 AS data
RUN mkdir -p -m 0700 /volume/data

FROM gcr.io/distroless/static-debian12:nonroot
ARG TARGETPLATFORM
COPY $TARGETPLATFORM/treq-telemetry /usr/bin/treq-telemetry
# Its parent, since a directory that is copied itself loses its mode.
COPY --from=data --chown=65532:65532 /volume/ /
USER 65532:65532
ENV PORT=8002 TREQ_DATA_DIR=/data
EXPOSE 8002 4317 4318
VOLUME /data
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 CMD ["/usr/bin/treq-telemetry", "probe"]
ENTRYPOINT ["/usr/bin/treq-telemetry"]
CMD ["serve"]
