// Windows of pyramid pooling, axis by axis; put before its two modules. The rules are in pyramid-pool.ts. Products must fit
// 32 bits: size x bin < 2^32.

override workgroupSize: u32;
/// Words shared by a workgroup, 1 where nothing is.
override sharedWords: u32;

struct Params {
  bins: array<vec4<u32>, 2>,
  planes: u32,
  inH: u32,
  inW: u32,
  count: u32,
  rule: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

/// Sums or shares of all rows of cells, each as wide as the plane.
var<workgroup> rows: array<f32, sharedWords>;

fn binOf(k: u32) -> u32 {
  return params.bins[k / 4u][k % 4u];
}

fn cellsOf(bin: u32, size: u32) -> u32 {
  if (params.rule == PYRAMID_RULE_ADAPTIVE) { return bin; }
  return size / max(1u, size / bin);
}

/// Positions first .. end - 1 of an axis, or cells first .. end - 1 of a bin.
struct Span {
  first: u32,
  end: u32,
}

/// The positions of cell i.
fn windowOf(i: u32, bin: u32, size: u32) -> Span {
  if (params.rule == PYRAMID_RULE_ADAPTIVE) { return Span(i * size / bin, ((i + 1u) * size + bin - 1u) / bin); }
  let kernel = max(1u, size / bin);
  return Span(i * kernel, (i + 1u) * kernel);
}

fn lengthOf(span: Span) -> u32 {
  return span.end - span.first;
}

/// The cells that cover a position: with fixedKernel one or none.
fn coveringOf(position: u32, bin: u32, size: u32) -> Span {
  if (params.rule == PYRAMID_RULE_ADAPTIVE) {
    return Span(position * bin / size, ((position + 1u) * bin + size - 1u) / size);
  }
  let kernel = max(1u, size / bin);
  let cell = position / kernel;
  return Span(cell, select(cell, cell + 1u, cell < size / kernel));
}
