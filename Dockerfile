# docker build -t gpu-monitoring-api .                      the API and gpuctl with their libraries
# docker build -t gpu-monitoring-api --target debug .       the same with busybox: sh, wget
# docker build -t gpu-exporter --target exporter .          the exporter with its libraries
# Each has /usr/share/doc/gpu-monitoring/sbom.cdx.json and licences.txt: what it consists of.
ARG DEBIAN=debian:12-slim
FROM $DEBIAN AS build
WORKDIR /src
# The packages change less often than the code, so they are a layer of their own.
COPY scripts/deps.sh scripts/
RUN scripts/deps.sh build && rm -rf /var/lib/apt/lists/* .run
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY models models
COPY internal internal
COPY handlers handlers
COPY cmd cmd
COPY scripts scripts
COPY web web
RUN cmake --preset release -DGPUMON_TESTS=OFF -DGPUMON_BENCH=OFF -DGPUMON_WEB=ON \
    && scripts/build.sh release gpu-monitoring-api gpuctl gpu-exporter \
    && strip --strip-debug build/bin/gpu-monitoring-api build/bin/gpuctl build/bin/gpu-exporter
COPY LICENSE NOTICE ./
RUN scripts/collect-runtime.sh /image build/bin/gpu-monitoring-api build/bin/gpuctl \
    && scripts/collect-runtime.sh /exporter build/bin/gpu-exporter

FROM $DEBIAN AS busybox
RUN apt-get update \
    && apt-get install -y --no-install-recommends busybox-static \
    && rm -rf /var/lib/apt/lists/* \
    && mkdir -p /image/bin \
    && cp /bin/busybox /image/bin/ \
    && for name in sh wget cat ls ps nslookup; do ln -s busybox "/image/bin/$name"; done

FROM scratch AS exporter
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="gpu-exporter" \
      org.opencontainers.image.description="GPU metrics for Prometheus" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /exporter/ /
# What NVIDIA's container runtime is asked for: the GPUs, and the library and program that read them.
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=utility
USER 65532:65532
# The root file system may be read-only.
EXPOSE 9432
HEALTHCHECK --interval=30s --timeout=10s --retries=3 CMD ["/usr/bin/gpu-exporter", "--healthcheck"]
ENTRYPOINT ["/usr/bin/gpu-exporter"]

FROM scratch AS base
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="gpu-monitoring-api" \
      org.opencontainers.image.description="GPU dashboard API over Prometheus" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /image/ /
USER 65532:65532
# 8080: HTTP; 8081: gRPC health. The root file system may be read-only.
EXPOSE 8080 8081
HEALTHCHECK --interval=30s --timeout=10s --retries=3 CMD ["/usr/bin/gpu-monitoring-api", "--healthcheck"]
ENTRYPOINT ["/usr/bin/gpu-monitoring-api"]

FROM base AS debug
COPY --from=busybox /image/ /
ENV PATH=/usr/bin:/bin

FROM base AS api
