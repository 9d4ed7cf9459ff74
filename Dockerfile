# The three commands on Debian 12:
#
#   docker build -t mambatreel .
#   docker run --rm -it -v "$PWD:/work" -v "$HOME/.cache/huggingface:/root/.cache/huggingface" mambatreel \
#       mtl-chat --model state-spaces/mamba-130m-hf
FROM swift:6.3-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends pkg-config python3
WORKDIR /mambatreel
COPY . .
RUN scripts/package.sh

FROM debian:12-slim
COPY --from=build /mambatreel/out/package/*.deb /tmp/
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates /tmp/*.deb \
    && rm -rf /tmp/*.deb /var/lib/apt/lists/*
WORKDIR /work
CMD ["mtl-finetune", "--help"]
