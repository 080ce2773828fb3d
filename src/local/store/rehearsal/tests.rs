use std::fs;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Something that may be done to a file.
#[derive(Clone, Debug)]
enum Step {
    Write(u64, Vec<u8>),
    SetLen(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..200_u64, vec(any::<u8>(), 1..40)).prop_map(|(at, data)| Step::Write(at, data)),
        1 => (0..240_u64).prop_map(Step::SetLen),
    ]
}

proptest! {
    #[test]
    fn it_reads_as_the_file_would_and_the_file_stays_as_it_was(
        before in vec(any::<u8>(), 0..200),
        steps in vec(step(), 0..12),
        (start, length) in (0..240_usize, 0..100_usize),
    ) {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), &before).unwrap();
        let backend = FileBackend::new(file.reopen().unwrap()).unwrap();
        let rehearsal = Rehearsal::new(backend).unwrap();
        let mut expected = before.clone();
        for step in steps {
            match step {
                Step::Write(at, data) => {
                    // redb writes within the length that it has set.
                    let at_index = usize::try_from(at).unwrap();
                    if at_index + data.len() > expected.len() {
                        continue;
                    }
                    expected[at_index..at_index + data.len()].copy_from_slice(&data);
                    rehearsal.write(at, &data).unwrap();
                }
                Step::SetLen(len) => {
                    expected.resize(usize::try_from(len).unwrap(), 0);
                    rehearsal.set_len(len).unwrap();
                }
            }
        }
        prop_assert_eq!(rehearsal.len().unwrap(), expected.len() as u64);
        let mut read = vec![0xaa; length];
        let result = rehearsal.read(start as u64, &mut read);
        match expected.get(start..start + length) {
            Some(part) => prop_assert_eq!(read.as_slice(), part),
            None => prop_assert!(result.is_err()),
        }
        prop_assert_eq!(fs::read(file.path()).unwrap(), before);
    }
}
