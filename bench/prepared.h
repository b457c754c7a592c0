// Prepared is a rule set that is compiled, checked against the oracle on the requests to be timed,
// and ready for timing.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "bench/families.h"
#include "ordain/compile.h"
#include "ordain/decide.h"
#include "ordain/prepared_events.h"

namespace ordain::bench {

/// Filled requests for one program.
using Requests = std::unique_ptr<PreparedEvents>;

struct Prepared {
  std::string text;
  std::shared_ptr<const Program> program;
  CompileTimes times;
  double native_ms = 0;  ///< 0 without native code
  size_t code_bytes = 0;
};

/// Compiles the rules. Ends the process with a message if they have errors.
Prepared prepare(const Family& family, size_t rules, uint64_t seed = 1);
Prepared prepare_text(std::string text);

/// Compiles everything to native code. @returns false in a build without native code. `quick`:
/// without optimisation.
bool make_native(Prepared& prepared, bool quick = false);

/// Draws requests about the first `from` rules, so that a large set can receive the same requests
/// as a small one.
Requests requests_for(const Prepared& prepared, const Family& family, size_t from, size_t count, uint64_t seed = 1);

/// Requires the same answer to every request from the oracle, the interpreter and, if present,
/// native code. The oracle answers as many requests as it can in about a second. Ends the process
/// with a message if they differ.
void check_against_oracle(const Prepared& prepared, const PreparedEvents& requests);

/// @returns the nanoseconds of one decision, including setting its fields: the best of several
/// rounds over all requests, because other processes use the machine too
double time_decisions(const PreparedEvents& requests, bool interpret_only, double seconds);

/// Does the same for a function of (Call, Context).
template <typename Decide>
double time_requests(const PreparedEvents& requests, double seconds, Decide decide_one);

/// Takes a result of the timed code, so that the compiler cannot leave any of it out.
inline volatile uint64_t benchmark_sink = 0;

/// @returns milliseconds since some fixed time
double now_ms();

// --- inline

template <typename Decide>
double time_requests(const PreparedEvents& requests, double seconds, Decide decide_one) {
  Call call(requests.program());
  double best = 1e300;
  uint64_t sum = 0;
  const double start = now_ms();
  for (int round = 0; round < 3 || now_ms() - start < seconds * 1000; ++round) {
    size_t repeat = 0;
    const double from = now_ms();
    double taken = 0;
    do {
      for (const PreparedCall& request : requests.calls()) {
        request.fill(call);
        const Decision decision = decide_one(call, *request.context);
        sum += static_cast<uint64_t>(decision.effect) + decision.rule;
      }
      ++repeat;
      taken = now_ms() - from;
    } while (taken < 5);
    best = std::min(best, taken * 1e6 / static_cast<double>(repeat * requests.calls().size()));
    if (now_ms() - start > 20 * seconds * 1000) break;
  }
  benchmark_sink = sum;
  return best;
}

}  // namespace ordain::bench
