# syntax=docker/dockerfile:1
# The image of the worker `improved`, for people who build with Docker or Podman. `fis-workshop image build` makes the
# same image without either. From the project's directory:
#   docker build --file worker/improved.Dockerfile --tag REPOSITORY:improved .

FROM docker.io/library/rust:1.95-bookworm AS build
WORKDIR /source
COPY . .
# Static, so that the image needs nothing but the program; `--target` keeps the C library out of procedural macros.
RUN target="$(uname -m)-unknown-linux-gnu" \
 && RUSTFLAGS="-Ctarget-feature=+crt-static" \
    cargo build --locked --package fis-workshop-worker --bin improved --profile worker --target "$target" \
 && install -D -m 0755 "target/$target/worker/improved" /image/improved \
 # A scratch image has no certificates: every HTTPS call would fail with UnknownIssuer, on AWS only.
 && install -D -m 0644 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt \
 && printf 'root:x:0:0:root:/:/none\nworker:x:65532:65532:worker:/:/none\n' > /image/etc/passwd

FROM scratch
COPY --from=build /image/ /
# Nobody's number in distroless images: a user that owns nothing.
USER 65532:65532
WORKDIR /
STOPSIGNAL SIGTERM
# The exec form: with a shell in between, SIGTERM would not reach the program.
ENTRYPOINT ["/improved"]
