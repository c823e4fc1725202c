// Adjoint identities on the reference device, to float64 accuracy. The other devices run them in their agreement tests.
import t from 'tap';
import { createReferenceDevice } from '../../engine/devices/reference/reference.ts';
import { testAdjoints } from './adjoint.ts';

await testAdjoints(t, createReferenceDevice(), 100, 1e-12);
