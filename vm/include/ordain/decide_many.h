// decide_many: an array or a stream of calls at once, an array on several threads where asked. For replay and analysis;
// a host that decides one call at a time wants `decide`.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "ordain/decide.h"

namespace ordain {

/// A filled call and who makes it. Both must stay as they are until decide_many returns; contexts may be shared.
struct CallInContext {
  const Call* call = nullptr;
  const Context* context = nullptr;
};

/// Is given each decision with the index of its call, on the thread that decided it. The decision's views are valid
/// only during the call; it must not throw, and where there are several threads it must bear being called by them at
/// once.
using EachDecision = std::function<void(size_t index, const Decision& decision)>;

struct DecideManyOptions {
  DecideOptions decide;
  unsigned threads = 1;  ///< at most; 0: as many as there are cores. The calling thread is one of them.
  bool all = false;      ///< as decide_all does: with every rule that matches
};

/// Decides every call, in no particular order if there are several threads. Returns when `each` has been told of all.
/// Takes a Scratch for each thread. What the system refuses in threads the others do.
void decide_many(std::span<const CallInContext> calls, const EachDecision& each, const DecideManyOptions& options = {});

/// Gives one call after the other, nullptr at the end. A call must stay as it is until the next one is asked for.
using CallSource = std::function<const CallInContext*()>;

/// The same for calls that are filled as they are wanted, in their order, on the calling thread alone: a host that
/// reads them has its own threads, which read as well.
void decide_many(const CallSource& next, const EachDecision& each, const DecideManyOptions& options = {});

}  // namespace ordain
