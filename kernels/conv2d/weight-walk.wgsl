// How a thread of conv2dWeightGradient walks over the pixels without a division at each: WALK pixels further at a time, of which each
// stands for ROWS_EACH output rows below each other, a divisor of their number. Placed before the modules that do so, which define both.

// A pixel: its row and column in x before the taps' shifts, and its places in channel 0 of x and of g.
struct Pixel {
  row: u32,
  column: u32,
  x: u32,
  g: u32,
}

// Pixels of one image.
fn walkRows() -> u32 {
  return params.outH / ROWS_EACH;
}

fn walkSize() -> u32 {
  return walkRows() * params.outW;
}

fn pixelOf(index: u32) -> Pixel {
  let image = index / walkSize();
  let outRow = index % walkSize() / params.outW * ROWS_EACH;
  let outColumn = index % params.outW;
  let row = outRow * params.strideH;
  let column = outColumn * params.strideW;
  let x = (image * params.inChannels * params.inH + row) * params.inW + column;
  return Pixel(row, column, x, (image * params.outChannels * params.outH + outRow) * params.outW + outColumn);
}

// The pixel WALK further on: digits are added with their carries.
fn walkOn(pixel: Pixel) -> Pixel {
  let images = WALK / walkSize();
  let rows = WALK % walkSize() / params.outW;
  let columns = WALK % params.outW;
  let xImage = params.inChannels * params.inH * params.inW;
  let gImage = params.outChannels * params.outH * params.outW;
  let xRow = ROWS_EACH * params.strideH * params.inW;
  let gRow = ROWS_EACH * params.outW;
  let width = params.outW * params.strideW;
  let height = walkRows() * ROWS_EACH * params.strideH;
  var next = pixel;
  next.column += columns * params.strideW;
  let isNextRow = next.column >= width;
  next.column -= select(0, width, isNextRow);
  next.row += (rows + select(0u, 1u, isNextRow)) * ROWS_EACH * params.strideH;
  let isNextImage = next.row >= height;
  next.row -= select(0, height, isNextImage);
  next.x += images * xImage + rows * xRow + columns * params.strideW + select(0, xRow - width, isNextRow);
  next.x += select(0, xImage - walkRows() * xRow, isNextImage);
  next.g += images * gImage + rows * gRow + columns + select(0, gRow - params.outW, isNextRow);
  next.g += select(0, gImage - walkRows() * gRow, isNextImage);
  return next;
}

