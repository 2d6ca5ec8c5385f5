// Where the fake NVML libraries are, and what they act out.
//
// FAKE_NVML_SCRIPT names a text file, read by nvmlInit. A line is a word and its values:
//   driver 535.183.01 | nvml 12.535 | cuda 12020     of the system
//   command PID TEXT                                 of a process
//   gpu                                              begins a GPU: what follows is its
//   name TEXT | uuid TEXT | serial TEXT | bus DOMAIN BUS DEVICE
//   memory TOTAL RESERVED FREE USED                  bytes
//   utilization GPU MEMORY | temperature C | power MW | limit MW | management_limit MW
//   energy MJ | pstate N | fan N | throttle MASK
//   clock GRAPHICS SM MEMORY | max_clock GRAPHICS SM MEMORY
//   corrected VOLATILE AGGREGATE | uncorrected VOLATILE AGGREGATE
//   rows CORRECTABLE UNCORRECTABLE PENDING FAILURE
//   compute PID BYTES [GI CI] | graphics PID BYTES [GI CI]     - for BYTES: not available
//   mig 0|1 | instance GI CI TOTAL USED UUID NAME
//   encoder PERCENT | decoder PERCENT | replays N
//   field ID NUMBER | narrow_field ID NUMBER         of 64 and of 32 bits
//   events                                           it tells of XID errors
//   error FUNCTION CODE                              before the first gpu: of every call
//   hang FUNCTION FILE                               likewise: it blocks while FILE is there
//   live                          the file is read again whenever GPUs are counted or events asked
//   generation N                  another number than before: nothing works until nvmlInit
//   xid GPU CODE [GI]             events, in the order of their lines; those at nvmlInit are over
// What a GPU's lines do not say is not supported (code 3).
#pragma once

namespace gpumon::fake_nvml {

inline constexpr const char* kScriptVariable = "FAKE_NVML_SCRIPT";
// All functions in their newest versions, beside those of before.
inline constexpr const char* kLibrary = FAKE_NVML_LIBRARY;
// Those of a driver of 2012 alone.
inline constexpr const char* kOldLibrary = FAKE_NVML_OLD_LIBRARY;
// Starts, counts and ends; nothing else.
inline constexpr const char* kBareLibrary = FAKE_NVML_BARE_LIBRARY;
// A library that is none of NVML.
inline constexpr const char* kOtherLibrary = FAKE_NVML_OTHER_LIBRARY;

}  // namespace gpumon::fake_nvml
