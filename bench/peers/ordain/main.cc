// Decides the generated requests with Ordain, by its public headers alone: native code is ready before the first
// decision, the context of each agent is made before, and every decision sets the facts of its call.
// scripts/bench-peers says what it reads and answers.
#include <ordain/jit.h>
#include <ordain/ordain.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

struct Request {
  std::string agent, department, roles, action, type;
  int64_t sensitivity = 0;
  const ordain::Context* context = nullptr;
};

[[noreturn]] void fail(const std::string& message) {
  std::cerr << "ordain_peer: " << message << "\n";
  std::exit(1);
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) out.push_back(part);
  return out;
}

std::vector<Request> read_requests(const std::string& path) {
  std::ifstream in(path);
  std::vector<Request> out;
  for (std::string line; std::getline(in, line);) {
    const std::vector<std::string> column = split(line, '\t');
    if (column.size() != 6) fail("not six columns: " + line);
    out.push_back({column[0], column[1], column[2], column[3], column[5], std::stoll(column[4])});
  }
  if (out.empty()) fail("no requests in " + path);
  return out;
}

std::unique_ptr<ordain::Context> make_context(const std::shared_ptr<const ordain::Program>& program,
                                              const Request& request) {
  auto out = std::make_unique<ordain::Context>(program);
  const std::vector<std::string> names = split(request.roles, ',');
  std::vector<ordain::Value> roles;
  for (const std::string& name : names) roles.push_back(ordain::Value::string(name));
  out->set("agent.id", ordain::Value::string(request.agent));
  out->set("agent.department", ordain::Value::string(request.department));
  out->set("agent.roles", ordain::Value::list(roles));
  if (out->error().failed) fail(out->error().message);
  return out;
}

/// Puts the facts of a request into a call, and decides.
class Decider {
 public:
  explicit Decider(const std::shared_ptr<const ordain::Program>& program)
      : call_(program),
        capability_(program->resolve("access")),
        action_(program->slot(declaration(*program), "input.action")),
        sensitivity_(program->slot(declaration(*program), "input.sensitivity")),
        type_(program->slot(declaration(*program), "resource.type")) {}

  bool allows(const Request& request) {
    call_.begin(capability_, ordain::Stage::before);
    call_.set(action_, ordain::Value::string(request.action));
    call_.set(sensitivity_, ordain::Value::integer(request.sensitivity));
    call_.set(type_, ordain::Value::string(request.type));
    return ordain::decide(call_, *request.context, scratch_).effect == ordain::Effect::allow;
  }

 private:
  static const ordain::Capability* declaration(const ordain::Program& program) {
    return program.schema().find_capability("access");
  }

  ordain::Call call_;
  ordain::Scratch scratch_;
  ordain::CapabilityRef capability_;
  ordain::SlotRef action_, sensitivity_, type_;
};

volatile uint64_t allowed_sink = 0;  // so that the compiler leaves nothing out

/// "round SECONDS BATCH": the median of the mean times of batches, in nanoseconds.
void time_round(Decider& decider, const std::vector<Request>& requests, size_t& next, double seconds, size_t batch) {
  std::vector<double> samples;
  uint64_t allowed = 0;
  const Clock::time_point round = Clock::now();
  while (samples.empty() || Seconds(Clock::now() - round).count() < seconds) {
    const Clock::time_point start = Clock::now();
    for (size_t i = 0; i < batch; ++i) {
      allowed += decider.allows(requests[next]) ? 1 : 0;
      next = next + 1 == requests.size() ? 0 : next + 1;
    }
    samples.push_back(Seconds(Clock::now() - start).count() * 1e9 / static_cast<double>(batch));
  }
  allowed_sink = allowed;
  std::sort(samples.begin(), samples.end());
  std::printf("%.1f\n", samples[samples.size() / 2]);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) fail("usage: ordain_peer DIRECTORY");
  const std::string directory = argv[1];
  std::vector<Request> requests = read_requests(directory + "/requests.tsv");

  const Clock::time_point start = Clock::now();
  std::ifstream file(directory + "/rules.policy");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const ordain::Compilation compiled = ordain::compile(
      {std::make_shared<ordain::Source>(ordain::Source{"rules.policy", text})}, ordain::standard_library());
  if (compiled.program == nullptr) fail(ordain::render(compiled.diagnostics));
  if (auto native = ordain::compile_native(*compiled.program); !native) fail(native.error().message);
  std::map<std::string, std::unique_ptr<ordain::Context>> contexts;
  for (Request& request : requests) {
    auto& context = contexts[request.agent];
    if (context == nullptr) context = make_context(compiled.program, request);
    request.context = context.get();
  }
  Decider decider(compiled.program);
  decider.allows(requests[0]);
  std::printf("ready %.1f\n", Seconds(Clock::now() - start).count() * 1e3);
  std::fflush(stdout);

  size_t next = 0;
  for (std::string line; std::getline(std::cin, line); std::fflush(stdout)) {
    if (line == "check") {
      for (const Request& request : requests) std::putchar(decider.allows(request) ? 'A' : 'D');
      std::putchar('\n');
      continue;
    }
    double seconds = 0;
    size_t batch = 0;
    if (std::sscanf(line.c_str(), "round %lf %zu", &seconds, &batch) != 2) fail("unknown command: " + line);
    time_round(decider, requests, next, seconds, batch);
  }
  return 0;
}
