//! Blobs on their way out.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use http_body::Frame;
use tokio::fs::File;
use tokio::io::{AsyncRead, ReadBuf};

use super::request::{Request, check_digest, respond};
use crate::ecr::layer::Layer;
use crate::error::ApiError;
use crate::images::ImageStore;

/// Bytes that are read at once.
const PIECE: usize = 256 * 1024;

pub(super) async fn get(request: &Request<'_>, name: &str, digest: &str) -> Result<Response, ApiError> {
    request.repository(name)?;
    check_digest(digest)?;
    let endpoint = request.endpoint;
    let is_head = request.parts.method == Method::HEAD;
    let path = ImageStore::of(endpoint).blob(digest);
    let unknown = || {
        let text = format!("The layer {digest} is not in the repository '{name}'.");
        ApiError::new("BLOB_UNKNOWN", text).status(404)
    };
    let size = endpoint.store.write(|tx| {
        // Without its file, which somebody took away, it is to be uploaded again.
        let layer = Layer::get(tx, name, digest)?.filter(|_| path.exists()).ok_or_else(unknown)?;
        let size = layer.size;
        // Who asks whether it is there is about to push an image that needs it.
        if is_head { layer.promise(tx).map(|()| size) } else { Ok(size) }
    })?;
    let fields = [
        ("content-length", &*size.to_string()),
        ("content-type", "application/octet-stream"),
        ("docker-content-digest", digest),
    ];
    let mut response = respond(StatusCode::OK, &fields)?;
    if !is_head {
        let file = File::open(&path).await.map_err(|_| unknown())?;
        *response.body_mut() = Body::new(FileBody { file, piece: vec![0; PIECE] });
    }
    Ok(response)
}

/// A file as the body of an answer, read as fast as the client takes it.
struct FileBody {
    file: File,
    piece: Vec<u8>,
}

impl HttpBody for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let Self { file, piece } = &mut *self;
        let mut buffer = ReadBuf::new(piece);
        ready!(Pin::new(file).poll_read(context, &mut buffer))?;
        let read = buffer.filled();
        Poll::Ready((!read.is_empty()).then(|| Ok(Frame::data(Bytes::copy_from_slice(read)))))
    }
}
