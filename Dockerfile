# trajectory in a container, by the same two commands as anywhere:
#
#   docker build -t trajectory . && docker run --rm -v "$PWD:/work" trajectory --help
FROM swift:6.3-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends make patchelf python3-pip
COPY . /src
WORKDIR /src
RUN make bootstrap
RUN make archive && mkdir /opt/trajectory && tar -C /opt/trajectory --strip-components=1 -xzf .build/archive/*.tar.gz

FROM debian:bookworm-slim
COPY --from=build /opt/trajectory /usr/local
WORKDIR /work
ENTRYPOINT ["trajectory"]
