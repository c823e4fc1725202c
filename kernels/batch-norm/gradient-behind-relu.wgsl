// What a relu with the result y lets through of the gradient g: all of it where y is positive or NaN. y is bound by the planner.

fn gradientAt(i: u32) -> Element {
  let bits = bitcast<ElementBits>(y[i]);
  let isPositive = (bits - ElementBits(1u)) < ElementBits(0x7fffffffu);
  let isNegativeNan = bits > ElementBits(0xff800000u);
  return select(Element(0.0), g[i], isPositive | isNegativeNan);
}
