// The WASM ancestors of all ladders, compiled to a module of their own (.config/wasm.mjs).
import relaxedSimd from '../../dist/wasm/ladder-relaxed.wasm';
import simd from '../../dist/wasm/ladder-simd.wasm';
import type { WasmModules } from '../../engine/devices/wasm/load.ts';

export const ladderModules: WasmModules = { simd, relaxedSimd };
