//! Orders that need no memory: strides around a circle, each number met once.
//!
//! Ten numbers with stride 3 from 7: 7 0 3 6 9 2 5 8 1 4. A stride that shares no factor with the circle
//! meets them all; one near the golden section of it never comes close to where it has lately been.

/// The golden section of 2^64 (Knuth, The Art of Computer Programming 3, §6.4).
const GOLDEN_64: u64 = 0x9e37_79b9_7f4a_7c15;
/// The odd number next to the golden section of 2^80.
const GOLDEN_80: u128 = 0x9e37_79b9_7f4a_7c15_f39d;
/// The odd number next to the golden section of 2^8.
const GOLDEN_8: u64 = 159;
/// A prime over every circle that is smaller than 2^31, so it shares no factor with any.
const PRIME_32: u64 = 0x9e37_79b1;
/// A prime over 2^80, whose low bits are the golden section of 2^64: circles are often powers of two.
const PRIME_81: u128 = 0x1_3c7b_9e37_79b9_7f4a_7c15;

/// A number that looks like chance, of a seed and a place (the finalizer of `SplitMix64`; Steele, Lea and
/// Flood 2014).
pub(super) const fn mix(seed: u64, place: u64) -> u64 {
    let mut z = seed.wrapping_add(place.wrapping_add(1).wrapping_mul(GOLDEN_64));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Puts items into an order that only the seed knows (Fisher and Yates).
pub(super) fn shuffle<T>(items: &mut [T], seed: u64) {
    for last in (1..items.len()).rev() {
        let chance = u128::from(mix(seed, last as u64)) * (last as u128 + 1);
        // Below `last + 1`, which is an index.
        items.swap(last, usize::try_from(chance >> 64).unwrap_or(last));
    }
}

/// Where lap `lap` lands within a whole IPv4 block.
pub(super) fn in_v4_block(lap: u64, start: u64) -> u64 {
    lap.wrapping_mul(GOLDEN_8).wrapping_add(start) & 0xff
}

/// The lap that lands there.
pub(super) fn lap_in_v4_block(offset: u64, start: u64) -> u64 {
    // 159 × 95 = 59 × 256 + 1.
    offset.wrapping_sub(start).wrapping_mul(95) & 0xff
}

/// Where lap `lap` lands within a whole IPv6 block.
pub(super) fn in_v6_block(lap: u128, start: u64) -> u128 {
    lap.wrapping_mul(GOLDEN_80).wrapping_add(wide(start)) & V6_BLOCK
}

/// The lap that lands there.
pub(super) fn lap_in_v6_block(offset: u128, start: u64) -> u128 {
    offset.wrapping_sub(wide(start)).wrapping_mul(inverse_of_odd(GOLDEN_80)) & V6_BLOCK
}

const V6_BLOCK: u128 = (1 << 80) - 1;

/// Where lap `lap` lands on a circle of `size`, which is more than `lap` and at most 2^80.
pub(super) fn on_circle(lap: u128, start: u64, size: u128) -> u128 {
    match (u32::try_from(size), u32::try_from(lap)) {
        (Ok(size @ ..0x8000_0000), Ok(lap)) => {
            // Below 2^31 × 2^32 + 2^32.
            u128::from((u64::from(lap) * PRIME_32 + (start >> 32)) % u64::from(size))
        }
        _ => (mul_mod(lap, PRIME_81 % size, size) + wide(start) % size) % size,
    }
}

/// The lap that lands there.
pub(super) fn lap_on_circle(offset: u128, start: u64, size: u128) -> u128 {
    let (start, prime) = match u32::try_from(size) {
        Ok(..0x8000_0000) => (u128::from(start >> 32), u128::from(PRIME_32)),
        _ => (wide(start), PRIME_81),
    };
    mul_mod((offset + size - start % size) % size, inverse(prime % size, size), size)
}

/// 80 bits of a start that has 64.
fn wide(start: u64) -> u128 {
    (u128::from(start) << 16) ^ u128::from(start)
}

/// The golden section of a circle, or the next stride that shares no factor with it.
pub(super) fn golden_stride(size: u64) -> u64 {
    if size <= 2 {
        return size.saturating_sub(1);
    }
    let mut stride = mul_high(size, GOLDEN_64);
    while gcd(stride, size) != 1 {
        stride += 1;
    }
    stride
}

/// `number × share / 2^64`.
pub(super) fn mul_high(number: u64, share: u64) -> u64 {
    // The upper half of a product of 64 bits each.
    u64::try_from((u128::from(number) * u128::from(share)) >> 64).unwrap_or(0)
}

/// `a × b mod size`; all below 2^80.
pub(super) fn mul_mod(a: u128, b: u128, size: u128) -> u128 {
    if let Some(product) = a.checked_mul(b) {
        return product % size;
    }
    let (mut sum, mut a, mut b) = (0, a, b);
    while b > 0 {
        if b & 1 == 1 {
            sum = (sum + a) % size;
        }
        a = (a + a) % size;
        b >>= 1;
    }
    sum
}

/// The number by which a stride is undone: `stride × inverse = 1 mod size`. They share no factor, and are
/// below 2^80.
pub(super) fn inverse(stride: u128, size: u128) -> u128 {
    // Euclid, with the factors of the stride kept modulo the size.
    let (mut r, mut next_r) = (size, stride % size);
    let (mut t, mut next_t) = (0, 1 % size);
    while next_r != 0 {
        let quotient = r / next_r;
        (r, next_r) = (next_r, r % next_r);
        let step = mul_mod(quotient % size, next_t, size);
        (t, next_t) = (next_t, (t + size - step) % size);
    }
    t
}

/// The inverse modulo 2^128 (Newton; each round doubles the bits that are right).
fn inverse_of_odd(odd: u128) -> u128 {
    let mut inverse = odd;
    for _ in 0..6 {
        inverse = inverse.wrapping_mul(2_u128.wrapping_sub(odd.wrapping_mul(inverse)));
    }
    inverse
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_circle_is_gone_round_once() {
        for size in (1..600).chain([4096, 65_535, 65_536]) {
            let mut seen = vec![false; usize::try_from(size).unwrap()];
            for lap in 0..size {
                let offset = on_circle(lap, 0xfeed_beef_1234_5678, size);
                assert!(
                    !std::mem::replace(&mut seen[usize::try_from(offset).unwrap()], true),
                    "{size} {lap}"
                );
                assert_eq!(lap_on_circle(offset, 0xfeed_beef_1234_5678, size), lap, "{size}");
            }
        }
    }

    #[test]
    fn a_whole_ipv4_block_is_gone_round_once() {
        let mut seen = [false; 256];
        for lap in 0..256 {
            let offset = in_v4_block(lap, 77);
            assert!(!std::mem::replace(&mut seen[usize::try_from(offset).unwrap()], true));
            assert_eq!(lap_in_v4_block(offset, 77), lap);
        }
    }

    #[test]
    fn golden_strides_share_no_factor_with_their_circle() {
        for size in 1..5000 {
            let stride = golden_stride(size);
            assert_eq!(gcd(stride, size), 1, "{size}");
            assert!(stride < size || size == 1);
            assert_eq!(
                mul_mod(stride.into(), inverse(stride.into(), size.into()), size.into()),
                1 % u128::from(size)
            );
        }
    }

    #[test]
    fn chance_is_the_same_in_every_version() {
        assert_eq!(mix(0, 0), 0xe220_a839_7b1d_cdaf, "the first number of SplitMix64 from zero");
        let mut items: Vec<_> = (0..10).collect();
        shuffle(&mut items, 1);
        let once = items.clone();
        items.sort_unstable();
        assert_eq!(items, (0..10).collect::<Vec<_>>());
        assert_ne!(once, items);
    }

    proptest! {
        #![proptest_config(crate::property_tests::usual())]

        #[test]
        fn large_circles_are_undone(lap in 0..1_u128 << 80, start: u64, size in 1..=1_u128 << 80) {
            let lap = lap % size;
            let offset = on_circle(lap, start, size);
            prop_assert!(offset < size);
            prop_assert_eq!(lap_on_circle(offset, start, size), lap);
            let offset = in_v6_block(lap, start);
            prop_assert_eq!(lap_in_v6_block(offset, start), lap);
        }
    }
}
