//! Blobs on their way out.

use axum::body::{Body, Bytes};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use http_body_util::channel::{Channel, Sender};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use super::{Request, check_digest, respond};
use crate::ecr::image::Layer;
use crate::error::ApiError;

/// Bytes that are read at once.
const PIECE: usize = 256 * 1024;

pub(super) async fn get(request: &Request<'_>, name: &str, digest: &str) -> Result<Response, ApiError> {
    request.repository(name)?;
    check_digest(digest)?;
    let endpoint = request.endpoint;
    let is_head = request.parts.method == Method::HEAD;
    let path = endpoint.images.blob(digest);
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
        let (sender, body) = Channel::new(2);
        tokio::spawn(send(file, sender));
        *response.body_mut() = Body::new(body);
    }
    Ok(response)
}

async fn send(mut file: File, mut sender: Sender<Bytes, std::io::Error>) {
    loop {
        let mut piece = vec![0; PIECE];
        match file.read(&mut piece).await {
            Ok(0) => return,
            Ok(length) => {
                piece.truncate(length);
                // The client has gone.
                if sender.send_data(piece.into()).await.is_err() {
                    return;
                }
            }
            Err(error) => return sender.abort(error),
        }
    }
}
