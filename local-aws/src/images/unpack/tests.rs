use proptest::prelude::*;

use super::*;

fn header(kind: tar::EntryType, size: usize) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(0o755);
    header.set_size(size as u64);
    header
}

struct Layer(tar::Builder<Vec<u8>>);

impl Layer {
    fn new() -> Self {
        Self(tar::Builder::new(Vec::new()))
    }

    fn file(mut self, path: &str, content: &str) -> Self {
        let mut header = header(tar::EntryType::Regular, content.len());
        // `set_path` refuses `..`, which a hostile archive would not.
        header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        self.0.append(&header, content.as_bytes()).unwrap();
        self
    }

    fn link(mut self, path: &str, target: &str) -> Self {
        self.0.append_link(&mut header(tar::EntryType::Symlink, 0), path, target).unwrap();
        self
    }

    fn extract(self, root: &Path) -> io::Result<()> {
        super::extract(self.0.into_inner().unwrap().as_slice(), root, &mut Room { left: 1 << 20, all: 1 << 20 })
    }
}

#[test]
fn later_layers_replace_and_take_away() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    Layer::new().file("etc/a", "1").file("etc/b", "1").file("var/c", "1").extract(root).unwrap();
    Layer::new().file("etc/a", "2").file("etc/.wh.b", "").file("var/.wh..wh..opq", "").extract(root).unwrap();
    assert_eq!(fs::read_to_string(root.join("etc/a")).unwrap(), "2");
    assert!(!root.join("etc/b").exists());
    assert_eq!(fs::read_dir(root.join("var")).unwrap().count(), 0);
}

#[test]
fn nothing_leaves_the_image() {
    let dir = tempfile::tempdir().unwrap();
    let (root, outside) = (dir.path().join("root"), dir.path().join("outside"));
    fs::create_dir(&root).unwrap();
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("kept"), "").unwrap();
    assert!(Layer::new().file("../outside/new", "").extract(&root).is_err());
    let absolute = outside.to_str().unwrap();
    Layer::new().link("way", absolute).extract(&root).unwrap();
    assert!(Layer::new().file("way/new", "").extract(&root).is_err());
    Layer::new().file("way/.wh.kept", "").extract(&root).unwrap();
    let left: Vec<_> = fs::read_dir(&outside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["kept"]);
}

#[test]
fn paths_resolve_as_if_the_image_were_the_whole_file_system() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    Layer::new()
        .file("usr/bin/busybox", "")
        .link("bin", "/usr/bin")
        .link("usr/bin/sh", "busybox")
        .link("usr/bin/up", "../../../../usr/bin/busybox")
        .link("loop", "loop")
        .extract(root)
        .unwrap();
    let expected = root.join("usr/bin/busybox");
    for path in ["/bin/sh", "bin/busybox", "/../bin/up", "/usr/bin/./sh"] {
        assert_eq!(resolve(root, Path::new(path)).unwrap(), expected, "{path}");
    }
    assert!(resolve(root, Path::new("/loop")).is_err());
    assert_eq!(resolve(root, Path::new("/none/x")).unwrap(), root.join("none/x"));
}

#[test]
fn an_archive_that_is_too_much_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let message = |layer: Layer| layer.extract(dir.path()).unwrap_err().to_string();
    let large = Layer::new().file("large", &"x".repeat(1 << 20)).file("more", "x");
    assert!(message(large).contains("more than 1 MiB"));
    let many = (0..257).fold(Layer::new(), |layer, n| layer.file(&n.to_string(), ""));
    assert!(message(many).contains("more than 1 MiB"));
    for kind in [tar::EntryType::GNULongName, tar::EntryType::XHeader, tar::EntryType::XGlobalHeader] {
        let mut layer = Layer::new();
        let mut header = header(kind, 2 << 20);
        header.set_cksum();
        layer.0.append(&header, std::io::repeat(b'x').take(2 << 20)).unwrap();
        assert!(message(layer).contains("at most 1048576"), "{kind:?}");
    }
    let mut sparse = Layer::new();
    let mut header = header(tar::EntryType::GNUSparse, 0);
    header.set_cksum();
    sparse.0.append(&header, io::empty()).unwrap();
    assert!(message(sparse).contains("sparse"));
}

proptest! {
    #[test]
    fn damaged_layers_end_and_change_nothing_outside(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let (root, outside) = (dir.path().join("root"), dir.path().join("outside"));
        fs::create_dir(&root).unwrap();
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("kept"), "kept").unwrap();
        let layer = Layer::new().file("etc/a", "1").link("way", outside.to_str().unwrap()).file("way/.wh.kept", "");
        let mut bytes = layer.link("etc/b", "../../outside").file("etc/b/kept", "2").0.into_inner().unwrap();
        for (place, byte) in flips {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        // The checksums are those of what the archive now says: what is damaged is believed.
        for header in bytes.chunks_exact_mut(512) {
            let sum: u32 = header.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) }).sum();
            header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
        bytes.truncate(cut.index(bytes.len() * 2));
        drop(extract(bytes.as_slice(), &root, &mut Room { left: 1 << 20, all: 1 << 20 }));
        prop_assert_eq!(fs::read_to_string(outside.join("kept")).unwrap(), "kept");
        prop_assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
        prop_assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    }
}
