// Proxy stands between an MCP client and an MCP server: it takes the messages of both, one at a time, and says which
// messages go where. It knows nothing of processes and pipes.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agents/mcp/governed_call.h"
#include "agents/mcp/message.h"
#include "agents/mcp/pins.h"
#include "agents/mcp/replies.h"
#include "ordain/digest.h"
#include "ordain/runtime.h"

namespace ordain::mcp {

/// What becomes of a call that waits for approval, if the client can ask its user.
enum class Elicit {
  never,  ///< the call is answered with the approval's id
  retry,  ///< the user may approve elsewhere, and then says that the call should be decided again
  vote,   ///< the user's answer counts, as that of a person at the keyboard
};

struct ProxyOptions {
  std::string server;  ///< in the names of capabilities: `mcp.SERVER.TOOL`; see is_server_name
  std::string pins;    ///< the directory of the pins; "": they stay in memory
  Elicit elicit = Elicit::retry;
  DecideOptions decide = {};    ///< as the runtime has them
  size_t most_calls = 64;       ///< governed calls at a time
  size_t most_requests = 4096;  ///< requests without an answer at a time
};

/// Messages without their line ends, in the order in which they must be sent.
struct Messages {
  std::vector<std::string> to_client, to_server;
  std::vector<std::string> notes;  ///< for the operator: what was dropped, and why
};

/// Not thread-safe. The runtime's approval handler should be client_answer_handler().
class Proxy {
 public:
  Proxy(Runtime runtime, ProxyOptions options);

  /// A line that came from one side, without its line feed.
  Messages from_client(std::string_view line);
  Messages from_server(std::string_view line);
  /// A line that was too long to be kept. @param id of its message, "" if it is not known (see IdFinder)
  Messages too_long_from_client(std::string_view id);
  Messages too_long_from_server(std::string_view id);
  /// The server is gone: every request that waits for it gets an answer.
  Messages server_ended();

  /// How many requests of the client have no answer yet.
  size_t waiting() const { return requests_.size(); }

 private:
  enum class RequestKind {
    plain,      ///< passed on unchanged; so will its answer be
    handshake,  ///< `initialize`
    list,       ///< `tools/list` of the client
    own_list,   ///< `tools/list` of the proxy
    call,       ///< governed, and with the server
    held,       ///< to be governed once the tools are known
    asking,     ///< waits for what the client's user says
  };

  struct Request {
    RequestKind kind = RequestKind::plain;
    std::string id;          ///< as it stands in the request
    bool is_tool = false;    ///< the call of a tool
    bool stateless = false;  ///< of a revision without sessions, whose results have a type
    std::string cursor;      ///< lists: "" for the first page
    std::string text;        ///< held, asking: the whole request
    std::string question;    ///< asking: the id of our question
    Refusal pending;         ///< asking: the answer if the user does not agree
    std::unique_ptr<GovernedCall> call;
  };

  /// A governed call as the message says it.
  struct CallPlan {
    std::string capability, tool;
    Document input;
    bool is_tool = false, stateless = false;
    bool may_ask = false;   ///< the client can ask its user
    bool answered = false;  ///< the client's user was asked before
    bool refused = false;   ///< and did not agree
    std::optional<ClientAnswer> answer = {};
  };

  /// The pages of a list, from the first one on.
  struct Listing {
    bool whole = false;  ///< no page was left out so far
    std::string next;    ///< the cursor of the page that must follow
    size_t pages = 0;
    std::string meta;                                       ///< our own list: members of `_meta`
    std::map<std::string, std::string, std::less<>> tools;  ///< name -> definition
  };

  // From the client (proxy_client.cc).
  void take_from_client(const Message& message, Messages& out);
  void take_request(const Message& message, Messages& out);
  void take_notification(const Message& message, Messages& out);
  void take_client_answer(const Message& message, Messages& out);
  bool cancel(const std::string& key, Request request, Messages& out);
  bool was_cancelled(const std::string& key) const;
  void note_client(const Message& message);

  // Governed calls (proxy_call.cc).
  Result<CallPlan> plan_call(const Message& message) const;
  void govern(const Message& message, Messages& out);
  void decide(const Message& message, CallPlan plan, Messages& out);
  void ask(const Message& message, const CallPlan& plan, const Pending& pending, Messages& out);
  void refuse(std::string_view id, bool is_tool, bool stateless, const Refusal& refusal, Messages& out);
  void finish(Request request, const Message& message, Messages& out);
  void release(Request& request, const Document& given, const Document& released, const Message& message,
               Messages& out);
  std::string question_about(const Pending& pending) const;
  size_t kept_texts() const;  ///< how many calls are kept to be decided later

  // From the server (proxy_server.cc).
  void take_from_server(const Message& message, Messages& out);
  void take_server_answer(const Message& message, Messages& out);
  void fail_request(Request request, std::string_view why, Messages& out);

  // The server's tools (proxy_tools.cc).
  void list_tools(const Message& call, Messages& out);
  void take_list(Request request, const Message& message, Messages& out);
  bool note_page(Listing& listing, const Request& request, const Message& message, Messages& out);
  void filter_list(const Message& message, Messages& out);
  void end_listing(std::string_view problem, Messages& out);
  std::string tool_problem(const std::string& tool) const;

  std::string new_id() const;

  Runtime runtime_;
  const ProxyOptions options_;
  PinFile pins_;
  bool batches_ = false;                          ///< the revision in use has batches
  bool client_elicits_ = false;                   ///< the client declared it when it connected
  std::map<std::string, Request> requests_;       ///< by Message::key
  std::set<Digest> cancelled_;                    ///< of the keys of requests that were cancelled, without an answer
  std::map<std::string, std::string> questions_;  ///< key of our question -> key of the call
  size_t calls_ = 0;                              ///< governed calls that have begun

  bool listed_ = false;   ///< `tools_` is what the server said last
  bool listing_ = false;  ///< our own list is on its way
  Listing client_listing_, own_listing_;
  std::map<std::string, std::string, std::less<>> tools_;  ///< name -> definition
  std::set<std::string, std::less<>> accepted_;            ///< of these, as they are defined now
};

}  // namespace ordain::mcp
