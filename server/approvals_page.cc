// Serves the approvals page.
#include "server/approvals_page.h"

#include <string>
#include <utility>

#include "server/page.h"

namespace ordain::server {

HttpResponse approvals_page() {
  std::string html;
  for (const std::string_view piece : approvals_html()) html += piece;
  return own_page(std::move(html));
}

}  // namespace ordain::server
