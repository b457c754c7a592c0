// A rule set compiled, checked against the oracle on the requests that will be timed, and ready to be timed.
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
  double native_ms = 0;  ///< 0: there is no native code
  size_t code_bytes = 0;
};

/// Compiles the rules. Ends the process with a message if they have errors.
Prepared prepare(const Family& family, size_t rules, uint64_t seed = 1);
Prepared prepare_text(std::string text);

/// Makes everything native; false in a build without the native tier. `quick`: without optimisation.
bool make_native(Prepared& prepared, bool quick = false);

/// Draws requests; `from` of the rules, so that a large set can be asked what a small one is asked.
Requests requests_for(const Prepared& prepared, const Family& family, size_t from, size_t count, uint64_t seed = 1);

/// Demands of the oracle, the interpreter and, if it is there, native code one answer to every request; of the oracle
/// to as many as it can answer in a second or so. Ends the process with a message where they differ.
void check_against_oracle(const Prepared& prepared, const PreparedEvents& requests);

/// Nanoseconds of one decision with its fields set within the timing: the best of several rounds over all requests,
/// for others use the machine too.
double time_decisions(const PreparedEvents& requests, bool interpret_only, double seconds);

/// The same for a function of (Call, Context), with the fields set within the timing.
template <typename Decide>
double time_requests(const PreparedEvents& requests, double seconds, Decide decide_one);

/// Takes a result of what was timed, so that the compiler leaves nothing out.
inline volatile uint64_t benchmark_sink = 0;

/// Milliseconds since some fixed moment.
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
