use proptest::prelude::*;

use super::*;

proptest! {
    /// However a stream is cut into pieces, its beginning or its end is kept, and nothing is lost unnoticed.
    #[test]
    fn a_part_of_a_stream_is_kept(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..20)) {
        let whole = pieces.concat();
        let (mut first, mut last) = (Kept::of(Part::First(100)), Kept::of(Part::Last(100)));
        for piece in &pieces {
            first.add(piece);
            last.add(piece);
        }
        prop_assert_eq!(&first.bytes, &whole[..whole.len().min(100)]);
        prop_assert_eq!(&last.bytes, &whole[whole.len().saturating_sub(100)..]);
        prop_assert_eq!((first.dropped, last.dropped), (whole.len() > 100, whole.len() > 100));
    }
}
