// What a measurement must say of the machine that it was made on.
#pragma once

#include <cstdint>
#include <string>

namespace ordain::cli {

struct Machine {
  std::string cpu;      ///< the model, as the system names it; "unknown" if it does not
  unsigned cores = 1;   ///< that this process may use
  double load = 0;      ///< how many processes wanted to run, on average over the last minute
  uint64_t stolen = 0;  ///< time that a hypervisor gave to others, in ticks since the start
};

Machine describe_machine();

/// Why figures that were measured between the two may be wrong; "" if nothing is known to be.
std::string load_warning(const Machine& before, const Machine& after);

}  // namespace ordain::cli
