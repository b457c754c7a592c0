// The standard streams, for code that the addon brings.
#ifndef ORDAIN_NODE_STREAMS_H_
#define ORDAIN_NODE_STREAMS_H_

namespace ordain::node {

// Makes std::cout and std::cerr usable for what is loaded with RTLD_DEEPBIND. Does so once.
void share_streams();

}  // namespace ordain::node

#endif  // ORDAIN_NODE_STREAMS_H_
