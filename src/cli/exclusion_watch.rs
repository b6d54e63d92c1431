//! Exclusions that come late: the files of `--exclude-file` are looked at again while the scan runs, and what
//! they hold more counts from then on. Nothing is ever taken away.
//!
//! A checkpoint holds how many entries each file had at the start, for the order is made of these. What
//! stands behind them when the scan is resumed came late, too: lines are to be added at the end.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use super::lists::{self, LateEntries};
use crate::scan::schedule::live_exclusions::LiveExclusions;
use crate::targets::{Kind, Purpose, ReservedPolicy};

/// Files are looked at this often: with the time to read them, five seconds at the most are promised.
const LOOK_EACH: Duration = Duration::from_secs(2);

/// Where the addresses of an excluded name come from, for as long as the scan runs.
pub type Addresses = Box<dyn Fn(&Kind) -> anyhow::Result<Vec<IpAddr>> + Send>;

/// Looks at exclusion files until it is dropped.
pub struct ExclusionWatch {
    over: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What is watched, and for whom.
pub struct WatchedLists {
    /// The files; those that are no regular files can be read once only, and are left alone.
    pub files: Vec<PathBuf>,
    /// What they held.
    pub late: LateEntries,
    /// What is done about reserved addresses.
    pub policy: ReservedPolicy,
    /// How excluded names are resolved.
    pub addresses: Addresses,
    /// Who is told.
    pub added: Arc<LiveExclusions>,
    /// Whether a person is told, too.
    pub quiet: bool,
}

impl ExclusionWatch {
    /// Starts looking, where there is anything to look at.
    pub fn start(mut watched: WatchedLists) -> Self {
        watched.files.retain(|path| fs::metadata(path).is_ok_and(|data| data.is_file()));
        if watched.files.is_empty() {
            return Self { over: None, thread: None };
        }
        let (over, ended) = channel();
        let look = move || {
            let mut seen = vec![None; watched.files.len()];
            while ended.recv_timeout(LOOK_EACH) == Err(RecvTimeoutError::Timeout) {
                watched.look(&mut seen);
            }
        };
        let thread = std::thread::Builder::new().name("exclusions".to_owned()).spawn(look).ok();
        Self { over: Some(over), thread }
    }
}

impl Drop for ExclusionWatch {
    fn drop(&mut self) {
        self.over = None;
        if let Some(thread) = self.thread.take() {
            // What it still had to say is of no use any more.
            let _ = thread.join();
        }
    }
}

/// By what a changed file is told: when it was written, and its length.
type Stamp = Option<(SystemTime, u64)>;

fn stamp(path: &Path) -> Stamp {
    let data = fs::metadata(path).ok()?;
    Some((data.modified().ok()?, data.len()))
}

impl WatchedLists {
    /// Reads again what has changed since it was `seen`; the first time, all of it.
    fn look(&mut self, seen: &mut [Stamp]) {
        for (at, path) in self.files.clone().iter().enumerate() {
            let now = stamp(path);
            // An editor may be about to put another file in its place.
            if now.is_none() || now == seen[at] {
                continue;
            }
            let (new, trouble) = self.read(path);
            if new > 0 {
                if let Some(exclusions) = self.late.exclusions(self.policy) {
                    self.added.renew(exclusions);
                }
                if !self.quiet {
                    super::say(format_args!("banneret: {new} more excluded by `{}`", path.display()));
                }
            }
            if let Some(trouble) = trouble {
                super::say(format_args!("banneret: {}", super::sentence(&trouble)));
            }
            seen[at] = now;
        }
    }

    /// Takes every entry that can be read, for a list with a bad line excludes what its other lines say;
    /// gives how many are new, and the first trouble.
    fn read(&mut self, path: &Path) -> (usize, Option<anyhow::Error>) {
        let (mut new, mut trouble) = (0, None);
        let list = match lists::open(Purpose::Exclusions, path) {
            Ok(list) => list,
            Err(wrong) => return (0, Some(wrong)),
        };
        for entry in list {
            let taken = match entry {
                Ok(entry) => self.late.take(&lists::shown(path), entry, &*self.addresses),
                Err(wrong) => Err(wrong.into()),
            };
            match taken {
                Ok(is_new) => new += usize::from(is_new),
                Err(wrong) => {
                    trouble.get_or_insert(wrong);
                }
            }
        }
        (new, trouble)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn watched(path: &Path) -> WatchedLists {
        WatchedLists {
            files: vec![path.to_owned()],
            late: LateEntries::default(),
            policy: ReservedPolicy::Allow,
            addresses: Box::new(|kind| match kind {
                Kind::Host(name) if name.to_string() == "gone.example.org" => anyhow::bail!("nobody knows"),
                Kind::Host(_) => Ok(vec![IpAddr::from([198, 18, 9, 9])]),
                _ => Ok(Vec::new()),
            }),
            added: Arc::default(),
            quiet: true,
        }
    }

    fn blocks(watched: &WatchedLists, ip: &str) -> bool {
        watched.added.blocks(ip.parse().unwrap())
    }

    #[test]
    fn what_a_list_holds_more_counts_and_what_it_holds_less_does_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("opt-out.txt");
        fs::write(&path, "198.18.0.0/24 # ticket 7\n").unwrap();
        let mut watched = watched(&path);
        watched.late.know(&lists::open(Purpose::Exclusions, &path).unwrap().next().unwrap().unwrap());
        let mut seen = [None];
        watched.look(&mut seen);
        assert!(!blocks(&watched, "198.18.0.1"), "that one the set does not hold");
        let mut file = fs::File::options().append(true).open(&path).unwrap();
        file.write_all(b"198.18.1.0/24\nno target at all\nmail.example.org\n198.18.2.7").unwrap();
        watched.look(&mut seen);
        for ip in ["198.18.1.1", "198.18.9.9", "198.18.2.7"] {
            assert!(blocks(&watched, ip), "{ip}: a bad line frees nobody");
        }
        fs::write(&path, "198.18.3.0/24\n").unwrap();
        watched.look(&mut seen);
        fs::remove_file(&path).unwrap();
        watched.look(&mut seen);
        for ip in ["198.18.1.1", "198.18.9.9", "198.18.2.7", "198.18.3.3"] {
            assert!(blocks(&watched, ip), "{ip}: never taken away");
        }
    }

    #[test]
    fn a_name_that_could_not_be_resolved_is_told_and_frees_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("opt-out.txt");
        fs::write(&path, "gone.example.org\n198.18.1.1\n").unwrap();
        let mut watched = watched(&path);
        let (new, trouble) = watched.read(&path);
        assert_eq!((new, trouble.unwrap().to_string().as_str()), (1, "nobody knows"));
        assert_eq!(watched.read(&path).0, 0, "what is known is not new");
    }
}
