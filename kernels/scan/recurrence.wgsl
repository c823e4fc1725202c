// y[k] = b[k] + a[k] y[k - 1] along lines, 12 bytes moved per element. A thread a line: products of a block's factors could
// overflow where the recurrence does not, so lines are not cut. The rounding of each product is kept beside the running value.

@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

fn times(value: vec2<f32>, factor: f32) -> vec2<f32> {
  let product = asRounded(value.x * factor);
  let lost = fma(value.x, factor, -product) + value.y * factor;
  return vec2(product, select(lost, 0.0, isNan(lost) || isInfinite(lost)));
}

@compute @workgroup_size(workgroupSize)
fn lines(thread: Thread) {
  let line = itemOf(thread);
  if (line >= params.outer * params.inner) { return; }
  var value = vec2(0.0);
  for (var k = 0u; k < params.n; k++) {
    let at = place(line, k);
    if (k == 0u) { value = vec2(b[at], 0.0); } else { value = plus(times(value, a[at]), b[at]); }
    y[at] = rounded(value);
  }
}
