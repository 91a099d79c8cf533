// Stands before torch's own header of this name while Heed itself is compiled. torch/nn/module.h
// only names these classes; the real header brings in all of TorchScript, which costs every file
// that has a layer about 2 s. Who reads or writes archives includes input-archive.h and
// output-archive.h.
#pragma once

namespace torch::serialize {
class InputArchive;
class OutputArchive;
}  // namespace torch::serialize
