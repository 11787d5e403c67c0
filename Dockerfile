# cellgan with what its workflows need. Not tested: no container engine was at hand when it was written.
#   docker build -t cellgan:0.1.0 .
#   docker run --rm -v "$PWD":/data cellgan:0.1.0 align /data/monday.h5ad /data/tuesday.h5ad -o /data/aligned.h5ad
FROM python:3.11-slim

# PyTorch for CPUs: the build for NVIDIA cards is several gigabytes.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

WORKDIR /src
COPY . .
RUN version=$(sed -n 's/^torch==//p' constraints.txt) \
    && pip install --no-cache-dir --index-url "$TORCH_INDEX" "torch==$version" \
    && pip install --no-cache-dir --constraint constraints.txt '.[workflows]' \
    && rm -rf /src/*

WORKDIR /data
# Caches go where any user may write.
ENV NUMBA_CACHE_DIR=/tmp/numba MPLCONFIGDIR=/tmp/matplotlib OMP_WAIT_POLICY=PASSIVE
ENTRYPOINT ["cellgan"]
CMD ["--help"]
