// Fingerprints of files: their SHA-256, and which published file it belongs to. torchvision puts the first eight digits into the
// name of each file (`resnet50-0676ba61.pth`), so that a file is known by its content whatever it is called.
import { DataError } from '../../index.ts';

/** Files of torchvision for networks that are here, by the first digits of their SHA-256 (torchvision/models/*.py). */
const published: Readonly<Record<string, string>> = {
  f37072fd: 'resnet18-f37072fd.pth of torchvision (ResNet18_Weights.IMAGENET1K_V1)',
  b627a593: 'resnet34-b627a593.pth of torchvision (ResNet34_Weights.IMAGENET1K_V1)',
  '0676ba61': 'resnet50-0676ba61.pth of torchvision (ResNet50_Weights.IMAGENET1K_V1)',
  '11ad3fa6': 'resnet50-11ad3fa6.pth of torchvision (ResNet50_Weights.IMAGENET1K_V2)',
  '63fe2227': 'resnet101-63fe2227.pth of torchvision (ResNet101_Weights.IMAGENET1K_V1)',
  cd907fc2: 'resnet101-cd907fc2.pth of torchvision (ResNet101_Weights.IMAGENET1K_V2)',
  '394f9c45': 'resnet152-394f9c45.pth of torchvision (ResNet152_Weights.IMAGENET1K_V1)',
  f82ba261: 'resnet152-f82ba261.pth of torchvision (ResNet152_Weights.IMAGENET1K_V2)',
  a639ec97: 'densenet121-a639ec97.pth of torchvision (DenseNet121_Weights.IMAGENET1K_V1)',
  '8d451a50': 'densenet161-8d451a50.pth of torchvision (DenseNet161_Weights.IMAGENET1K_V1)',
  b2777c0a: 'densenet169-b2777c0a.pth of torchvision (DenseNet169_Weights.IMAGENET1K_V1)',
  c1103571: 'densenet201-c1103571.pth of torchvision (DenseNet201_Weights.IMAGENET1K_V1)',
  '6c64b313': 'vgg16_bn-6c64b313.pth of torchvision (VGG16_BN_Weights.IMAGENET1K_V1)',
  dd5fe13b: 'efficientnet_v2_s-dd5fe13b.pth of torchvision (EfficientNet_V2_S_Weights.IMAGENET1K_V1)',
};

/** Digits of a fingerprint in a file's name. */
const NAME_DIGITS = 8;

const isNode = typeof process === 'object' && process.versions?.node !== undefined;

/** SHA-256 in hexadecimal; undefined in a page that is not secure (neither https nor localhost), where browsers have none. */
export async function sha256Of(bytes: Uint8Array): Promise<string | undefined> {
  if (isNode) return (await import('node:crypto')).createHash('sha256').update(bytes).digest('hex');
  // There where a page is secure, whatever the types say.
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  if (!subtle) return undefined;
  const digest = await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Which published file has this SHA-256, or undefined. */
export const publishedFileOf = (sha256: string): string | undefined => published[sha256.slice(0, NAME_DIGITS)];

/**
 * Throws DataError where the file's name ends with other digits than its SHA-256 begins with: a download that was cut off, or
 * something else under that name.
 */
export function checkNamedFingerprint(file: string, sha256: string): void {
  const named = /-([0-9a-f]{8})\.(?:pth?|bin)$/.exec(file)?.[1];
  if (named === undefined || sha256.startsWith(named)) return;
  throw new DataError(`${file} is not the file that its name says`, {
    expected: `a SHA-256 that begins with ${named}`,
    given: sha256.slice(0, NAME_DIGITS),
    hint: 'Get the file again; if it was changed on purpose, give it another name',
  });
}
