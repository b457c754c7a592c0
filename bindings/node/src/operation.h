// One call of the engine, apart from JavaScript: what to call, with which objects and texts, and what came of it. It
// can be executed on any thread.
#ifndef ORDAIN_NODE_OPERATION_H_
#define ORDAIN_NODE_OPERATION_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "handle.h"
#include "ordain/c.h"

namespace ordain::node {

// A status beside those of the C interface: the object is closed.
constexpr ordain_status kClosed = -1;

constexpr size_t kMaxTexts = 5;

struct Operation {
  std::shared_ptr<Registry> registry;
  std::shared_ptr<Handle> object;    // the runtime, the call or the set of policies; null to open one
  std::shared_ptr<Handle> identity;  // null: the runtime's own
  int32_t number = 0;                // an ending, a verdict, a stage, or how policies decide; see the functions
  std::array<std::optional<std::string>, kMaxTexts> texts;

  ordain_status status = ORDAIN_OK;
  std::string message;  // why it failed
  std::shared_ptr<Handle> made;
  std::optional<std::string> result;
};

// What JavaScript can call, by name.
struct Function {
  const char* name;
  std::optional<Kind> object;  // the kind of the object that it needs
  size_t texts;                // how many texts it takes; each may be absent
  bool makes;                  // the result is the made object, or a pair of it and the text
  bool gives_bytes;            // the text is a Buffer
  void (*execute)(Operation&);
};

std::span<const Function> functions();

// Executes it, and fills in the status and the results. It may wait for the disk and for other processes.
void execute(const Function& function, Operation& operation) noexcept;

}  // namespace ordain::node

#endif  // ORDAIN_NODE_OPERATION_H_
