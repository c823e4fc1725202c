import t from 'tap';
import { createReferenceDevice } from '../../engine/devices/reference/reference.ts';
import { testAgreement } from './agreement.ts';
await testAgreement(t, createReferenceDevice(), 60);
