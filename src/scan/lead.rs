//! What a name of the target list led to, and the targets that it makes.

use std::net::IpAddr;
use std::sync::Arc;

use super::aim::{Aim, Asked, Errand};
use crate::name::HostName;

/// An address, and the host name that led to it.
#[derive(Debug, Clone)]
pub struct Lead {
    /// The address.
    pub ip: IpAddr,
    /// The name; `None` where it is not one that a host can have.
    pub host: Option<Arc<HostName>>,
}

/// The targets of a name: each address at each port.
pub fn aims(turn: u128, name: usize, leads: &[Lead], ports: &[u16]) -> Vec<Aim> {
    let mut aims = Vec::with_capacity(leads.len() * ports.len());
    for lead in leads {
        for &port in ports {
            aims.push(Aim {
                errand: Errand::Record,
                turn,
                ip: lead.ip,
                port,
                attempts: 0,
                troubles: 0,
                doubted: 0,
                asked: Asked::Name(name),
                name: lead.host.clone(),
                earlier: None,
            });
        }
    }
    aims
}
