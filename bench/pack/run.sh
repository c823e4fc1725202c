#!/bin/sh
# Runs wgrad on a Linux machine that has a GPU driver and perhaps nothing else. Made by `npm run pack`; needs no installation,
# no network, and of the machine's programs only a shell. `run.sh --help` says more.

case $0 in
*/*) here=${0%/*} ;;
*) here=. ;;
esac
case $here in
/*) ;;
*) here=$PWD/$here ;;
esac

help() {
  echo "run.sh [--own-libraries] [--list | COMMAND ARGS...]

Without a command it runs, one after the other, and writes what they say to ./results:
  doctor.json    which devices are here
  golden.txt     the fixtures packed along, on the GPU (if there are any)
  kernel.json    every kernel at the sizes of the papers' networks, beside the ceilings of the GPU
  quick.json     convolutions and a training step beside other engines (PyTorch, if python3 has it)
  ladder.json    the slower ancestors of every kernel, each checked and measured
  tuning.json    the fastest plan of each kernel on this GPU, for --tuning
With a command it runs that one: run.sh doctor, run.sh golden DIR --device webgpu, run.sh bench kernel --help ...

  --list             says what would be run
  --own-libraries    the C library that came along, even if the machine's own would do

The machine's C library is used wherever node and Dawn start with it, so that its GPU driver finds what it was made for. Where
it is missing, or older than they need, the one that came along is used, with which a driver made for an older one works too.
The Vulkan loader always comes along; it finds drivers in the usual folders, in /usr/local/nvidia, and NVIDIA's by name."
}

own=0
if [ "$1" = --own-libraries ]; then
  own=1
  shift
fi

# The programs came compressed. The empty files they go to are executable already: chmod may not be there.
loader=$here/lib/own/ld-linux.so
unpack() {
  if [ -s "$here/$1" ]; then return; fi
  # A compressed file is there until the unpacked one is whole: an interrupted run starts again.
  if gzip -dc "$here/$1.gz" >"$here/$1" 2>/dev/null; then return; fi
  if "$loader" --library-path "$here/lib/own" "$here/bin/gzip" -dc "$here/$1.gz" >"$here/$1"; then return; fi
  : >"$here/$1"
  echo "run.sh: $here/$1.gz cannot be unpacked" >&2
  exit 1
}
unpack bin/node
unpack app/node_modules/webgpu/dist/linux-x64/dawn.node

libraries=$here/lib/vulkan
has_x11() {
  for folder in /lib /lib64 /usr/lib /usr/lib64 /lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu; do
    if [ -e "$folder/libX11.so.6" ]; then return 0; fi
  done
  return 1
}
# NVIDIA's driver is linked to libraries of X11 even where there is no screen.
if ! has_x11; then libraries=$libraries:$here/lib/x11; fi

drivers=$VK_ADD_DRIVER_FILES
add_driver() { drivers=${drivers:+$drivers:}$1; }
if [ -d /usr/local/nvidia/lib64 ]; then libraries=$libraries:/usr/local/nvidia/lib64; fi
if [ ! -e /usr/share/vulkan/icd.d/nvidia_icd.json ] && [ ! -e /etc/vulkan/icd.d/nvidia_icd.json ]; then
  if [ -e /usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json ]; then
    add_driver /usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json
  elif [ -e /dev/nvidiactl ]; then
    add_driver "$here/lib/vulkan/nvidia_icd.json"
  fi
fi
if [ -n "$drivers" ]; then export VK_ADD_DRIVER_FILES="$drivers"; fi
libraries=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}

node() {
  if [ $own = 1 ]; then
    "$loader" --library-path "$here/lib/own:$libraries" "$here/bin/node" "$@"
  else
    LD_LIBRARY_PATH=$libraries "$here/bin/node" "$@"
  fi
}
if [ $own = 0 ] && ! node "$here/app/probe.mjs" 2>/dev/null; then own=1; fi

wgrad() { node "$here/app/dist/experiments/cli/main.js" "$@"; }

# One step: a file of ./results, then the command whose output goes there. Those that write their document themselves say so
# with --out, and their output is shown.
failed=0
step() {
  if [ "$list" = 1 ]; then
    shift
    echo "wgrad $*"
    return
  fi
  into=results/$1
  shift
  echo "== wgrad $*"
  case " $* " in
  *" --out "*) wgrad "$@" ;;
  *) wgrad "$@" >"$into" ;;
  esac
  status=$?
  if [ $status != 0 ]; then
    failed=$((failed + 1))
    echo "== ended with status $status"
  fi
}

all() {
  step doctor.json doctor --json
  if [ -e "$here/golden/manifest.json" ]; then step golden.txt golden "$here/golden" --device webgpu; fi
  step kernel.json bench kernel --device webgpu --size paper --peers pytorch --out results/kernel.json
  step quick.json bench quick --out results/quick.json
  step ladder.json bench ladder all --device webgpu --out results/ladder.json
  step tuning.json bench tune --device webgpu --out results/tuning.json
}

case $1 in
-h | --help)
  help
  ;;
--list)
  list=1
  all
  ;;
'')
  node -e 'require("node:fs").mkdirSync("results", { recursive: true })' || exit 1
  all
  echo "== results is complete, $failed steps failed"
  if [ $failed != 0 ]; then exit 1; fi
  ;;
*)
  wgrad "$@"
  ;;
esac
