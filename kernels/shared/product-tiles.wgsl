// The arithmetic of every product by tiles, placed between the constants ROWS and COLUMNS (product-tiles.webgpu.ts) and a module that
// brings the words: a workgroup makes ROWS x COLUMNS elements of a product, 64 or 128 each way, in steps of STEP inner indices.
//
// Thread t makes 8 x 8 elements in registers: with down = t / (COLUMNS / 8) and across = t % (COLUMNS / 8), rows 4 down to 4 down + 3 and
// the same in the lower half of the tile; columns likewise. Per inner index it reads 16 words of workgroup memory for 64
// multiply-adds, in four reads of four words, and per step it brings (ROWS + COLUMNS) STEP / THREADS words from buffers: at 128 x 128
// one word for 64 multiply-adds, at 64 x 64 one for 32. A module loads those of the next step before it calls `multiply`, so that they
// are under way during the arithmetic. STEP (ROWS + COLUMNS + 8) words of workgroup memory: 8.3 KiB at 128 x 128.
//
// The sums of every CHAIN inner indices join those before them in registers, so that no chain of additions grows long.

const STEP = 8u;
const CHAIN = 128u;
const THREADS = ROWS * COLUMNS / 64;
const LEFT_QUADS = ROWS / 4;
const RIGHT_QUADS = COLUMNS / 4;
// Quads, four words each, from one inner index of a tile to the next: the odd one keeps stores of neighbouring inner indices in
// different banks.
const LEFT_PITCH = LEFT_QUADS + 1;
const RIGHT_PITCH = RIGHT_QUADS + 1;
// Quads that a thread brings in each step.
const LEFT_EACH = LEFT_QUADS * STEP / THREADS;
const RIGHT_EACH = RIGHT_QUADS * STEP / THREADS;

var<workgroup> leftTile: array<vec4<f32>, STEP * LEFT_PITCH>;
var<workgroup> rightTile: array<vec4<f32>, STEP * RIGHT_PITCH>;

// Rows times halves of four columns.
alias Block = array<array<vec4<f32>, 2>, 8>;

// Adds a step's products to the thread's sums. The remainder by ROWS / 8 changes nothing, but shows a compiler that every index is
// within its tile, which spares a test at each.
fn multiply(sums: ptr<function, Block>, thread: u32) {
  let down = thread / (COLUMNS / 8) % (ROWS / 8);
  let across = thread % (COLUMNS / 8);
  for (var l = 0u; l < STEP; l++) {
    let left = array(leftTile[l * LEFT_PITCH + down], leftTile[l * LEFT_PITCH + down + LEFT_QUADS / 2]);
    let right = array(rightTile[l * RIGHT_PITCH + across], rightTile[l * RIGHT_PITCH + across + RIGHT_QUADS / 2]);
    for (var i = 0u; i < 8; i++) {
      let value = vec4(left[i / 4][i % 4]);
      (*sums)[i][0] = fma(value, right[0], (*sums)[i][0]);
      (*sums)[i][1] = fma(value, right[1], (*sums)[i][1]);
    }
  }
}

// Adds the sums of a chain to those before it.
fn join(totals: ptr<function, Block>, sums: ptr<function, Block>) {
  for (var i = 0u; i < 8; i++) {
    (*totals)[i][0] += (*sums)[i][0];
    (*totals)[i][1] += (*sums)[i][1];
  }
}

// Row of the tile, of the thread's i-th row; and first column of its half h.
fn rowOfBlock(thread: u32, i: u32) -> u32 {
  return thread / (COLUMNS / 8) * 4 + i % 4 + i / 4 * (ROWS / 2);
}

fn columnOfBlock(thread: u32, h: u32) -> u32 {
  return thread % (COLUMNS / 8) * 4 + h * (COLUMNS / 2);
}

