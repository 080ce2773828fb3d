use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_and_the_folders_that_it_needs_are_its_owners_alone() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a/b/file");
    write(&path, b"content").unwrap();
    assert_eq!(read(&path, 7).unwrap(), b"content");
    assert_eq!(
        (mode(&path), mode(&home.path().join("a/b")), mode(&home.path().join("a"))),
        (0o600, 0o700, 0o700)
    );
    assert_eq!(names(&home.path().join("a/b")), ["file"]);
}

#[test]
fn a_file_that_others_could_read_is_private_once_it_is_written() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("file");
    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    write(&path, b"new").unwrap();
    assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), ("new", 0o600));
}

#[test]
fn a_symbolic_link_is_replaced_and_what_it_points_at_stays() {
    let home = tempfile::tempdir().unwrap();
    let (path, elsewhere) = (home.path().join("file"), home.path().join("elsewhere"));
    fs::write(&elsewhere, "somebody's notes").unwrap();
    symlink(&elsewhere, &path).unwrap();
    write(&path, b"ours").unwrap();
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "somebody's notes");
    assert!(fs::symlink_metadata(&path).unwrap().is_file());
    assert_eq!(fs::read_to_string(&path).unwrap(), "ours");
}

#[test]
fn what_a_crash_left_goes_at_the_next_write_and_what_is_being_written_stays() {
    let home = tempfile::tempdir().unwrap();
    for name in [".kmx-1-0.tmp", ".kmx-notes", "kmx-1-0.tmp"] {
        fs::write(home.path().join(name), "x").unwrap();
    }
    let (_writing, unfinished) = create_unfinished(home.path()).unwrap();
    write(&home.path().join("file"), b"content").unwrap();
    let unfinished = unfinished.file_name().unwrap().to_str().unwrap();
    let mut left = vec![unfinished, ".kmx-notes", "file", "kmx-1-0.tmp"];
    left.sort_unstable();
    assert_eq!(names(home.path()), left);
}

#[test]
fn a_write_that_fails_leaves_what_was_there_and_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("folder");
    fs::create_dir_all(path.join("full")).unwrap();
    let error = write(&path, b"content").unwrap_err();
    assert!(error.to_string().starts_with(&format!("cannot write `{}`: ", path.display())), "{error}");
    assert_eq!(names(home.path()), ["folder"]);
    assert_eq!(names(&path), ["full"]);
}

#[test]
fn a_file_where_a_folder_should_be_is_told_with_the_way_out() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("file"), "notes").unwrap();
    let failure = Failure::from(write(&home.path().join("file/deep"), b"x").unwrap_err());
    assert!(failure.sentence.contains("file/deep"), "{failure}");
    assert_eq!(failure.hints, ["see that its folder is one that you may write to, or name another file"]);
}

#[test]
fn nothing_is_read_beyond_the_limit() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("file");
    fs::write(&path, "12345678").unwrap();
    assert_eq!(read(&path, 8).unwrap(), b"12345678");
    let error = read(&path, 7).unwrap_err();
    assert_eq!(error.to_string(), format!("`{}` has more than 7 bytes", path.display()));
    assert!(read(Path::new("/dev/zero"), 1 << 16).is_err());
}

#[test]
fn what_is_not_there_can_be_told_from_what_cannot_be_read() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("file"), "x").unwrap();
    assert!(read(&home.path().join("nothing"), 1).unwrap_err().is_missing());
    assert!(read(&home.path().join("file/below"), 1).unwrap_err().is_missing());
    assert!(!read(home.path(), 1).unwrap_err().is_missing());
    remove(&home.path().join("nothing")).unwrap();
    remove(&home.path().join("file")).unwrap();
    assert!(names(home.path()).is_empty());
}

#[test]
fn a_file_to_append_to_is_private_and_keeps_what_it_holds() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("log");
    append(&path).unwrap().write_all(b"one\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    append(&path).unwrap().write_all(b"two\n").unwrap();
    assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), ("one\ntwo\n", 0o600));
    append(Path::new("/dev/null")).unwrap();
}
