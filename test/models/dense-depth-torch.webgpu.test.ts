// DenseDepth at full size against PyTorch on WebGPU.
import t from 'tap';
import { createDevice, setDefaultDevice } from '../../engine/index.ts';
import { compareBackbones } from './dense-depth-torch.ts';

t.setTimeout(300_000);
setDefaultDevice(await createDevice('webgpu'));
await compareBackbones(t, ['densenet169', 'resnet50-keras', 'efficientnetv2-b0']);
