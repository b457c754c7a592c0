// decide_many decides an array or a stream of calls; an array may be spread over several threads.
// It serves replay and analysis. A host that decides one call at a time uses `decide`.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "ordain/decide.h"
#include "ordain/export.h"

namespace ordain {

/// A filled call and its context. Neither may change until decide_many returns; calls may share a
/// context. Where one of them is missing, the decision is a denial, `invalid_input`.
struct CallInContext {
  const Call* call = nullptr;
  const Context* context = nullptr;
};

/// Receives each decision with the index of its call, on the thread that decided it. The decision's
/// views are valid only until this function returns. It must not throw, and with several threads it
/// must be thread-safe. Without one, nothing is decided.
using EachDecision = std::function<void(size_t index, const Decision& decision)>;

struct DecideManyOptions {
  DecideOptions decide;
  unsigned threads = 1;  ///< at most, the calling thread included; 0: one for each core
  bool all = false;      ///< list every matching rule, as decide_all does
};

/// Decides every call, in no particular order if there are several threads. Returns when `each` has
/// received all decisions. Each thread has a Scratch of its own. If fewer threads can be started
/// than wanted, those that run do all the work.
ORDAIN_API void decide_many(std::span<const CallInContext> calls, const EachDecision& each,
                            const DecideManyOptions& options = {});

/// Returns one call after another, and nullptr at the end. A call must not change until the next
/// one is asked for.
using CallSource = std::function<const CallInContext*()>;

/// Decides a stream of calls, in order, on the calling thread alone. A host that wants several
/// threads starts them itself, and each of them reads and decides a part.
ORDAIN_API void decide_many(const CallSource& next, const EachDecision& each, const DecideManyOptions& options = {});

}  // namespace ordain
