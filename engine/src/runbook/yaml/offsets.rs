//! From characters, which the YAML scanner counts, to bytes, which spans count.

/// How many characters lie between two remembered places.
const STRIDE: usize = 64;

/// Finds the byte at which a character starts.
#[derive(Debug)]
pub(super) struct Offsets<'a> {
    text: &'a str,
    /// The byte of every 64th character; none when bytes and characters are the same.
    places: Option<Vec<usize>>,
}

impl<'a> Offsets<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let places = || {
            text.char_indices()
                .step_by(STRIDE)
                .map(|(byte, _)| byte)
                .collect()
        };
        Self {
            text,
            places: (!text.is_ascii()).then(places),
        }
    }

    /// The byte at which the character of that number starts; the text's end if there is none.
    pub(super) fn byte(&self, character: usize) -> usize {
        let Some(places) = &self.places else {
            return character.min(self.text.len());
        };
        let Some(&place) = places.get(character / STRIDE) else {
            return self.text.len();
        };
        let mut rest = self.text[place..].char_indices();
        rest.nth(character % STRIDE)
            .map_or(self.text.len(), |(byte, _)| place + byte)
    }
}
