// Attention and embeddings as layers, with the parameter names of torch.nn's.
import { takes } from '../call-check.ts';
import { countWithin, wholeNumber } from '../checks.ts';
import { defaultDevice, parameter } from '../creation.ts';
import { ConfigError, ShapeError, showShape } from '../errors.ts';
import * as ops from '../ops/index.ts';
import { device, flag, number, optionsWith, size } from '../signature.ts';
import type { Parameter, Tensor } from '../tensor.ts';
import { glorotUniform, normalInit } from './init.ts';
import type { LayerOptions } from './layer-options.ts';
import { Linear } from './linear.ts';
import { type Layer, Module } from './module.ts';

/** Options of nn.MultiHeadAttention. */
export interface MultiHeadAttentionOptions extends LayerOptions {
  bias?: boolean;
}

const takesAttention = takes('MultiHeadAttention', {
  embedDim: size,
  numHeads: size,
  options: optionsWith<MultiHeadAttentionOptions>({ bias: flag, device }),
});

/**
 * Attention in several heads (Vaswani et al. 2017), batch first: queries (N, L, E) to keys and values (N, S, E), which are the
 * queries unless given; (N, L, E). Loads the weights of torch.nn.MultiheadAttention, whose masks of bool are the other way round:
 * here true is seen, as in `scaledDotProductAttention`. Leaves out dropout, and keys and values of other widths.
 */
export class MultiHeadAttention extends Module implements Layer {
  readonly in_proj_weight: Parameter;
  declare readonly in_proj_bias?: Parameter;
  readonly out_proj: Linear;
  readonly #heads: number;

  constructor(...args: [embedDim: number, numHeads: number, options?: MultiHeadAttentionOptions]) {
    super();
    const [embedDim, numHeads, { bias = true, ...options } = {}] = takesAttention(args);
    wholeNumber('MultiHeadAttention', 'embedDim', embedDim, 1);
    wholeNumber('MultiHeadAttention', 'numHeads', numHeads, 1);
    if (embedDim % numHeads !== 0) {
      const details = { argument: 'numHeads', expected: `a divisor of ${embedDim}`, given: String(numHeads) };
      throw new ConfigError('heads of different widths', { operation: 'MultiHeadAttention', ...details });
    }
    this.#heads = numHeads;
    const device = options.device ?? defaultDevice();
    const shape = [3 * embedDim, embedDim];
    this.in_proj_weight = parameter(glorotUniform(shape), shape, device);
    if (bias) this.in_proj_bias = parameter(new Float32Array(3 * embedDim), [3 * embedDim], device);
    this.out_proj = new Linear(embedDim, embedDim, { bias, device });
    if (bias) device.write(this.out_proj.bias!.storage, new Float32Array(embedDim));
  }

  /** `attnMask` broadcasts to (N, heads, L, S). */
  forward(query: Tensor, key = query, value = key, options: ops.AttentionOptions = {}): Tensor {
    const width = this.out_proj.weight.shape[0]!;
    for (const [argument, { shape }] of Object.entries({ query, key, value })) {
      if (shape.length === 3 && shape[2] === width) continue;
      const details = { argument, expected: `(N, length, ${width})`, given: showShape(shape) };
      throw new ShapeError('shapes do not fit', { operation: 'MultiHeadAttention', ...details });
    }
    const [q, k, v] = [query, key, value].map((x, i) => {
      const own = (all: Parameter): Tensor => ops.narrow(all, 0, i * width, width);
      const y = ops.linear(x, own(this.in_proj_weight), this.in_proj_bias && own(this.in_proj_bias));
      const [n, length] = x.shape as [number, number];
      return ops.permute(ops.reshape(y, [n, length, this.#heads, width / this.#heads]), [0, 2, 1, 3]);
    }) as [Tensor, Tensor, Tensor];
    const heads = ops.scaledDotProductAttention(q, k, v, options);
    return this.out_proj.forward(ops.reshape(ops.permute(heads, [0, 2, 1, 3]), query.shape));
  }
}

/** Options of nn.Embedding. */
export interface EmbeddingOptions extends LayerOptions {
  /** The row of this index starts with zeros and has no gradient. */
  paddingIdx?: number;
}

const takesEmbedding = takes('Embedding', {
  numEmbeddings: size,
  embeddingDim: size,
  options: optionsWith<EmbeddingOptions>({ paddingIdx: number, device }),
});

/** A row of `weight` (numEmbeddings, embeddingDim) for each index: int32 (...) to float32 (..., embeddingDim). */
export class Embedding extends Module implements Layer {
  readonly weight: Parameter;
  readonly #paddingIdx: number | undefined;

  constructor(...args: [numEmbeddings: number, embeddingDim: number, options?: EmbeddingOptions]) {
    super();
    const [rows, width, { paddingIdx, ...options } = {}] = takesEmbedding(args);
    wholeNumber('Embedding', 'numEmbeddings', rows, 1);
    wholeNumber('Embedding', 'embeddingDim', width, 0);
    const shape = [rows, width];
    const values = normalInit(shape, 1);
    if (paddingIdx !== undefined) {
      countWithin('Embedding', 'paddingIdx', paddingIdx, { from: 0, to: rows - 1 });
      values.fill(0, paddingIdx * width, (paddingIdx + 1) * width);
    }
    this.#paddingIdx = paddingIdx;
    this.weight = parameter(values, shape, options.device ?? defaultDevice());
  }

  forward(index: Tensor): Tensor {
    const flat = ops.reshape(index, [index.size]);
    const rows = ops.indexSelect(this.weight, 0, flat);
    const isPadding = this.#paddingIdx === undefined ? undefined : ops.eq(flat, this.#paddingIdx);
    const kept = isPadding ? ops.where(ops.reshape(isPadding, [index.size, 1]), rows.detach(), rows) : rows;
    return ops.reshape(kept, [...index.shape, this.weight.shape[1]!]);
  }
}
