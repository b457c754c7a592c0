// Reads what Linux says of the machine. Where it says nothing, the fields keep their defaults.
#include "cli/machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

namespace ordain::cli {
namespace {

constexpr double kBusyShare = 0.5;     // of the cores
constexpr uint64_t kStolenTicks = 10;  // a tenth of a second

std::string cpu_model() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

// The eighth figure of the first line of /proc/stat.
uint64_t stolen_ticks() {
  std::ifstream in("/proc/stat");
  std::string word;
  uint64_t ticks = 0;
  in >> word;
  for (int i = 0; i < 8 && in >> ticks;) ++i;
  return in ? ticks : 0;
}

}  // namespace

Machine describe_machine() {
  Machine out{.cpu = cpu_model(), .cores = std::max(1u, std::thread::hardware_concurrency())};
  double load = 0;
  if (getloadavg(&load, 1) == 1) out.load = load;
  out.stolen = stolen_ticks();
  return out;
}

std::string load_warning(const Machine& before, const Machine& after) {
  if (before.load > kBusyShare * before.cores) {
    return fmt::format("the machine was busy before the measurement: load {:.1f} on {} cores", before.load,
                       before.cores);
  }
  if (after.stolen > before.stolen + kStolenTicks) {
    return "a hypervisor took time from this machine during the measurement";
  }
  return "";
}

}  // namespace ordain::cli
