//! Lists as one text: items joined with `;`, so written that the list can be had back.
//!
//! An item is text in the escape of [`super::escape`], in which a `;` becomes `\x3b`. An empty item is a lone
//! `\`, and one that is null `\-`; neither can be anything else, for a backslash of the item itself is `\\`.

/// What joins the items.
pub const JOIN: char = ';';

/// Stands for an empty item.
const EMPTY: &str = "\\";
/// Stands for an item that is null.
const NULL: &str = "\\-";

/// Appends an item, given its place in the list.
pub fn push(list: &mut String, place: usize, item: Option<&str>) {
    if place > 0 {
        list.push(JOIN);
    }
    match item {
        None => list.push_str(NULL),
        Some("") => list.push_str(EMPTY),
        Some(item) => {
            for (index, part) in item.split(JOIN).enumerate() {
                if index > 0 {
                    list.push_str("\\x3b");
                }
                list.push_str(part);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_has_a_text_of_its_own() {
        for (items, text) in [
            (&[][..], ""),
            (&[Some("")], r"\"),
            (&[None], r"\-"),
            (&[Some(""), Some("")], r"\;\"),
            (&[Some("a"), Some("b")], "a;b"),
            (&[Some("a;b")], r"a\x3bb"),
            (&[Some(r"a\\x3bb"), Some("-"), None], r"a\\x3bb;-;\-"),
        ] {
            let mut list = String::new();
            items.iter().enumerate().for_each(|(place, item)| push(&mut list, place, *item));
            assert_eq!(list, text);
        }
    }
}
