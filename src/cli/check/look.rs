//! What looking at a server needs, for the conversations with it and for `--verify`.

use std::sync::Arc;

use crate::evidence::Scanner;
use crate::probe::{self, FamilyAccess, Smtp};
use crate::resolve::Settings;
use crate::targets::Exclusions;

/// What looking needs.
pub(super) struct Look {
    /// Speaks to servers.
    pub(super) smtp: Arc<Smtp>,
    /// How it does.
    pub(super) probe: probe::Settings,
    /// What this machine has to reach them by.
    pub(super) reach: FamilyAccess,
    /// Who we are.
    pub(super) scanner: Arc<Scanner>,
    /// How DNS is asked.
    pub(super) settings: Settings,
    /// What is not touched.
    pub(super) exclusions: Exclusions,
    /// Further attempts at what timed out.
    pub(super) retries: u8,
}
