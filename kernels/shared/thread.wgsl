// Put before modules with a thread per item: workgroups stand in a grid that may be folded, see webgpu-grid.ts.

override workgroupSize: u32;

struct Thread {
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
}

/// The item of a thread. Those of the last workgroup may be past the last item.
fn itemOf(thread: Thread) -> u32 {
  return (thread.group.x + thread.group.y * thread.grid.x) * workgroupSize + thread.lane;
}
