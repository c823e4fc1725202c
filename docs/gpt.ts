// A small GPT (Radford et al. 2019) that learns the letters of a poem and recites it, with public names alone. WEIGHTS is a file to
// begin from, of any format that `wgrad/weights` reads; without one the weights are drawn:
//
//   node .config/build.mjs docs/gpt.ts && node dist/docs/gpt.js [STEPS] [WEIGHTS]
import { Adam, createDevice, crossEntropy, manualSeed, nn, noGrad } from 'wgrad';
import { arange, random, scope, setDefaultDevice, tensor, type Tensor } from 'wgrad';
import { loadWeights } from 'wgrad/weights';

const [steps = 200, weights] = process.argv.slice(2);
// Lewis Carroll, Jabberwocky (1871).
const text = `'Twas brillig, and the slithy toves
Did gyre and gimble in the wabe:
All mimsy were the borogoves,
And the mome raths outgrabe.

"Beware the Jabberwock, my son!
The jaws that bite, the claws that catch!
Beware the Jubjub bird, and shun
The frumious Bandersnatch!"
`;
const letters = [...new Set(text)].sort();
const codes = Int32Array.from(text, (letter) => letters.indexOf(letter));
const [context, width, heads, depth, batch] = [16, 48, 4, 2, 16];

class Block extends nn.Module {
  readonly norm1 = new nn.LayerNorm([width]);
  readonly attention = new nn.MultiHeadAttention(width, heads);
  readonly norm2 = new nn.LayerNorm([width]);
  readonly mlp = new nn.Sequential(new nn.Linear(width, 4 * width), new nn.GELU(), new nn.Linear(4 * width, width));
  forward(x: Tensor): Tensor {
    const seen = this.norm1.forward(x);
    const y = x.add(this.attention.forward(seen, seen, seen, { isCausal: true })); // no letter sees those behind it
    return y.add(this.mlp.forward(this.norm2.forward(y)));
  }
}

class Gpt extends nn.Module {
  readonly tokens = new nn.Embedding(letters.length, width);
  readonly positions = new nn.Embedding(context, width);
  readonly blocks = new nn.Sequential(...Array.from({ length: depth }, () => new Block()));
  readonly norm = new nn.LayerNorm([width]);
  readonly head = new nn.Linear(width, letters.length, { bias: false });
  /** (N, length) to (N, length, letters): at each place, how likely each letter is to come next. */
  forward(x: Tensor): Tensor {
    const places = this.positions.forward(arange(x.shape[1]!, { dtype: 'int32' }));
    return this.head.forward(this.norm.forward(this.blocks.forward(this.tokens.forward(x).add(places))));
  }
}

setDefaultDevice(await createDevice('auto'));
manualSeed(1);
const model = new Gpt();
if (weights) await loadWeights(model, weights);
const optimizer = new Adam(model.parameters(), { lr: 0.005 });

for (let step = 1; step <= Number(steps); step++) {
  using _step = scope(); // what a step makes is released at its end
  const places = random(1, 'windows', step);
  const windows = Array.from({ length: batch }, () => places.integer(codes.length - context));
  const part = (from: number): Int32Array[] => windows.map((at) => codes.subarray(at + from, at + from + context));
  const logits = model.forward(tensor(part(0), [batch, context], { dtype: 'int32' }));
  const target = tensor(part(1), [batch, context], { dtype: 'int32' }).reshape([-1]);
  const loss = crossEntropy(logits.reshape([-1, letters.length]), target);
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  if (step % 20 === 0) console.log(`step ${step}: ${(await loss.item()).toFixed(6)}`);
}

let written = "'Twas ";
while (written.length < 150) {
  using _letter = scope();
  const last = Int32Array.from(written.slice(-context), (letter) => letters.indexOf(letter));
  const logits = noGrad(() => model.forward(tensor(last, [1, last.length])));
  const [likeliest] = await logits
    .narrow(1, last.length - 1, 1)
    .argmax(2)
    .array();
  written += letters[likeliest!];
}
console.log(written);
