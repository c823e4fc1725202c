// What stands in for ImageNet's weights (section 8.2 of the specification): a backbone is trained to tell shape and dominant colour of
// other generated scenes, in its own scaling and in contrasts of all kinds. One training for all runs of a command with that backbone,
// whatever their seed; its weights are kept among the prepared data.
import { createHash } from 'node:crypto';
import path from 'node:path';
import {
  Adam,
  applySchedule,
  crossEntropy,
  lambdaLR,
  manualSeed,
  mean,
  nn,
  noGrad,
  random,
  readCheckpoint,
  scope,
  type StateDict,
  type Tensor,
  tensor,
} from '../../../engine/index.ts';
import { type Backbone, type BackboneName, backbones, makeBackbone, scalePictures } from '../../../models/index.ts';
import { CachedScenes, objectClasses, resizeScene, type Scenes } from '../../data/object-scenes.ts';
import { type MadeScene, OBJECT_SCENE_VERSION, objectScene } from '../../data/synthetic/object-scenes.ts';
import { checkpointFault, writeState } from '../../runner/checkpoint.ts';
import { batchesIn, Epochs } from '../../runner/epochs.ts';
import type { RunContext } from '../../runner/paper.ts';
import type { Phase } from '../../runner/training.ts';
import { batchOf, pixelsOf } from './samples.ts';
import type { Pretraining, TrainingSettings } from './settings.ts';

/** Pre-training is the same for every seed of a run, as ImageNet's weights are. */
const SEED = 0;
const COLOURS = 3;

export interface PretrainingBatch {
  readonly pixels: Float32Array;
  readonly labels: Int32Array;
}

type Options = Pick<TrainingSettings, 'width' | 'height' | 'momentum'> & {
  readonly network: BackboneName;
  readonly pretraining: Pretraining;
};

/** Pixels from 0 to 255 with another contrast and brightness in each picture. */
export function jitter(pixels: Float32Array, count: number, { contrast, brightness }: Pretraining, step: number): void {
  const stream = random(SEED, 'densedepth contrast', step);
  const length = pixels.length / count;
  for (let n = 0; n < count; n++) {
    const c = contrast[0] + (contrast[1] - contrast[0]) * stream.uniform();
    const b = brightness * (2 * stream.uniform() - 1);
    for (let i = n * length; i < (n + 1) * length; i++) {
      pixels[i] = Math.min(255, Math.max(0, (pixels[i]! - 128) * c + 128 + b));
    }
  }
}

/** A backbone with a classifier of shapes and colours. */
class Classifier extends nn.Module {
  readonly backbone: Backbone;
  readonly classifier: nn.Linear;

  constructor(network: BackboneName, momentum: number) {
    super();
    this.backbone = makeBackbone(network, { norm: { momentum } });
    this.classifier = new nn.Linear(this.backbone.widths.mid, objectClasses.length * COLOURS);
  }

  forward(x: Tensor): Tensor {
    return this.classifier.forward(mean(this.backbone.taps(x).mid, [2, 3]));
  }
}

/** The pre-training of a backbone, as a phase of a run that needs its weights. */
export class BackbonePretraining {
  readonly module: Classifier;
  readonly #options: Options;
  readonly #optimizer: Adam;
  readonly #scenes: Scenes;
  readonly #labels: number[] = [];
  readonly #epochs: Epochs<Int32Array>;
  readonly #file: string | undefined;

  constructor(options: Options, { cache, device }: Pick<RunContext, 'cache' | 'device'>) {
    const { network, pretraining, width, height, momentum } = options;
    this.#options = options;
    manualSeed(SEED);
    this.module = new Classifier(network, momentum.backbone);
    this.#optimizer = new Adam(this.module.parameters(), { lr: pretraining.rates[0] });
    this.#scenes = new CachedScenes(pretraining.count, (index) => {
      const scene = this.#made(index);
      this.#labels[index] = COLOURS * scene.label + scene.dominant;
      return resizeScene(scene, { width, height });
    });
    this.#epochs = new Epochs((epoch) =>
      batchesIn(random(SEED, 'densedepth pre-training', epoch).permutation(pretraining.count), pretraining.batch),
    );
    const identity = JSON.stringify([network, pretraining, width, height, momentum.backbone, OBJECT_SCENE_VERSION]);
    const name = `${network}-${createHash('sha256').update(`${identity} ${device.name}`).digest('hex').slice(0, 12)}`;
    this.#file = cache && path.join(cache, 'densedepth', `${name}.safetensors`);
  }

  #made(index: number): MadeScene {
    return objectScene('pretraining', index, index % objectClasses.length);
  }

  /** The weights that another run of the command has come to. */
  async kept(): Promise<StateDict | undefined> {
    if (this.#file === undefined || (await checkpointFault(this.#file)) !== undefined) return undefined;
    return (await readCheckpoint(this.#file)).state;
  }

  /** Of no steps where the weights are there already. */
  phase(isDone: boolean): Phase<PretrainingBatch> {
    const { pretraining } = this.#options;
    const steps = pretraining.epochs * this.#epochs.length;
    const [from, to] = pretraining.rates;
    const schedule = lambdaLR(from, (k) => 1 + (to / from - 1) * (k / Math.max(1, steps - 1)));
    return {
      steps: isDone ? 0 : steps,
      checkpointEvery: this.#epochs.length,
      optimizers: [this.#optimizer],
      batch: (k) => this.#batch([...this.#epochs.at(k)], k),
      step: ({ pixels, labels }, k) => {
        const loss = crossEntropy(this.#scores(pixels, labels.length), tensor(labels));
        this.#optimizer.zeroGrad();
        loss.backward();
        applySchedule(this.#optimizer, schedule, k);
        this.#optimizer.step();
        return {};
      },
    };
  }

  async #batch(indices: readonly number[], step?: number): Promise<PretrainingBatch> {
    const places = indices.map((scene) => ({ scene, variant: 0 }));
    const { scenes } = await batchOf(this.#scenes, places);
    const pixels = pixelsOf(
      scenes,
      indices.map(() => 0),
    );
    if (step !== undefined) jitter(pixels, indices.length, this.#options.pretraining, step);
    return { pixels, labels: Int32Array.from(indices, (i) => this.#labels[i]!) };
  }

  #scores(pixels: Float32Array, count: number): Tensor {
    const { network, width, height } = this.#options;
    const pictures = tensor(pixels, [count, 3, height, width]);
    return this.module.forward(scalePictures(pictures, backbones[network].native));
  }

  /** The backbone's weights, its running statistics those of one more pass over the pictures; kept for other runs. */
  async finish(): Promise<StateDict> {
    const { pretraining } = this.#options;
    this.module.train();
    for (let first = 0; first < pretraining.count; first += pretraining.batch) {
      using _ = scope();
      const end = Math.min(pretraining.count, first + pretraining.batch);
      const { pixels, labels } = await this.#batch(Array.from({ length: end - first }, (_, i) => first + i));
      noGrad(() => this.#scores(pixels, labels.length));
    }
    const state = await this.module.backbone.stateDict();
    if (this.#file !== undefined) await writeState(this.#file, state, {});
    return state;
  }
}
