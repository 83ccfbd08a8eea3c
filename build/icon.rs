//! The icon, drawn: a list of which two things are done, and the third is next.

/// How many points are looked at in each direction to tell how much of a pixel is covered.
const FINE: u32 = 4;

/// Red, green, blue.
type Colour = [u8; 3];

/// A point; both run from 0 to 1, to the right and down.
type Point = (f64, f64);

/// Something that is drawn over what was drawn before.
struct Shape {
    colour: Colour,
    covers: Box<dyn Fn(Point) -> bool>,
}

/// The whole file, with the picture in each of these sizes.
pub(crate) fn file(sizes: &[u32]) -> Vec<u8> {
    let images: Vec<Vec<u8>> = sizes.iter().map(|&size| image(size)).collect();
    let mut file = Vec::new();
    file.extend(0_u16.to_le_bytes());
    // An icon, not a cursor.
    file.extend(1_u16.to_le_bytes());
    file.extend(u16::try_from(sizes.len()).unwrap_or_default().to_le_bytes());
    let mut place = u32::try_from(6 + 16 * sizes.len()).unwrap_or_default();
    for (&size, image) in sizes.iter().zip(&images) {
        let length = u32::try_from(image.len()).unwrap_or_default();
        // 256 is written as 0.
        let side = u8::try_from(size).unwrap_or_default();
        file.extend([side, side, 0, 0]);
        file.extend(1_u16.to_le_bytes());
        file.extend(32_u16.to_le_bytes());
        file.extend(length.to_le_bytes());
        file.extend(place.to_le_bytes());
        place += length;
    }
    file.extend(images.concat());
    file
}

/// The picture as a bitmap of 32 bits a pixel, without the head that a bitmap's own file has.
fn image(size: u32) -> Vec<u8> {
    let mut image = Vec::new();
    image.extend(40_u32.to_le_bytes());
    image.extend(size.to_le_bytes());
    // The mask counts as a second picture.
    image.extend((size * 2).to_le_bytes());
    image.extend(1_u16.to_le_bytes());
    image.extend(32_u16.to_le_bytes());
    image.extend([0; 24]);
    let shapes = shapes();
    for y in (0..size).rev() {
        for x in 0..size {
            image.extend(pixel(&shapes, x, y, size));
        }
    }
    // The mask hides nothing: what is clear is said by each pixel. Its lines end at four bytes.
    let line = size.div_ceil(32) * 4;
    image.extend(vec![0; usize::try_from(line * size).unwrap_or_default()]);
    image
}

/// Blue, green, red, and how much is covered.
fn pixel(shapes: &[Shape], x: u32, y: u32, size: u32) -> [u8; 4] {
    let (mut sums, mut covered) = ([0_u32; 3], 0);
    for down in 0..FINE {
        for right in 0..FINE {
            let place = |at: u32, part: u32| {
                (f64::from(at) + (f64::from(part) + 0.5) / f64::from(FINE)) / f64::from(size)
            };
            let point = (place(x, right), place(y, down));
            let Some(top) = shapes.iter().rev().find(|shape| (shape.covers)(point)) else {
                continue;
            };
            covered += 1;
            for (sum, part) in sums.iter_mut().zip(top.colour) {
                *sum += u32::from(part);
            }
        }
    }
    let part = |sum: u32| u8::try_from(sum / covered.max(1)).unwrap_or(u8::MAX);
    let clear = u8::try_from(covered * 255 / (FINE * FINE)).unwrap_or(u8::MAX);
    [part(sums[2]), part(sums[1]), part(sums[0]), clear]
}

/// From the lowest to the one on top.
fn shapes() -> Vec<Shape> {
    const GROUND: Colour = [0x1d, 0x4f, 0x7c];
    const LINE: Colour = [0xf4, 0xf7, 0xfa];
    const LATER: Colour = [0x9f, 0xb8, 0xcc];
    const DONE: Colour = [0x7b, 0xd8, 0x8f];
    const NEXT: Colour = [0xff, 0xc8, 0x57];
    let mut shapes = vec![Shape::new(GROUND, |(x, y)| {
        // A square with round corners: near enough to a smaller one.
        let beyond = |at: f64| ((at - 0.5).abs() - 0.28).max(0.0);
        beyond(x).hypot(beyond(y)) <= 0.2
    })];
    for (height, colour) in [(0.27, LINE), (0.5, LINE), (0.73, LATER)] {
        shapes.push(Shape::stroke(colour, 0.05, [(0.48, height), (0.82, height)]));
    }
    for height in [0.27, 0.5] {
        let tick = [(0.18, height), (0.245, height + 0.065), (0.35, height - 0.075)];
        shapes.push(Shape::stroke(DONE, 0.045, tick));
    }
    shapes.push(Shape::new(NEXT, |(x, y)| {
        (0.17..=0.37).contains(&x) && (y - 0.73).abs() <= 0.11 * (0.37 - x) / 0.2
    }));
    shapes
}

impl Shape {
    fn new(colour: Colour, covers: impl Fn(Point) -> bool + 'static) -> Self {
        let covers = Box::new(covers);
        Self { colour, covers }
    }

    /// A line through these points, as far as `radius` to each side.
    fn stroke<const N: usize>(colour: Colour, radius: f64, points: [Point; N]) -> Self {
        Self::new(colour, move |point| {
            points
                .windows(2)
                .any(|ends| distance(point, ends[0], ends[1]) <= radius)
        })
    }
}

/// How far a point is from the line between two others.
fn distance(point: Point, from: Point, to: Point) -> f64 {
    let (along, across) = (to.0 - from.0, to.1 - from.1);
    let (x, y) = (point.0 - from.0, point.1 - from.1);
    let at = ((x * along + y * across) / (along * along + across * across)).clamp(0.0, 1.0);
    (x - at * along).hypot(y - at * across)
}
