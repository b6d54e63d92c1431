//! Values under small numbers, for the cases and questions of a plan. Knows neither.

/// Values under numbers that are used again.
#[derive(Debug)]
pub(super) struct Slab<V> {
    places: Vec<Option<V>>,
    free: Vec<u32>,
}

impl<V> Slab<V> {
    pub(super) fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub(super) fn insert(&mut self, value: V) -> u32 {
        if let Some(id) = self.free.pop() {
            self.places[id as usize] = Some(value);
            return id;
        }
        self.places.push(Some(value));
        // Callers bound what is open far below 2^32.
        u32::try_from(self.places.len() - 1).unwrap_or(u32::MAX)
    }

    pub(super) fn get(&self, id: u32) -> Option<&V> {
        self.places.get(id as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut V> {
        self.places.get_mut(id as usize)?.as_mut()
    }

    pub(super) fn remove(&mut self, id: u32) -> Option<V> {
        let value = self.places.get_mut(id as usize)?.take()?;
        self.free.push(id);
        Some(value)
    }
}
