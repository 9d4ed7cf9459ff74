// What a program that fine-tunes, scores or talks needs, by one name. Targets of this package import what they
// need by itself.
@_exported import Chat
@_exported import Evaluation
@_exported import FineTuning
@_exported import GGUF
@_exported import Hub
@_exported import Kernels
@_exported import Layers
@_exported import LoRA
@_exported import MambaLM
@_exported import ModelLoading
@_exported import Prompting
@_exported import Storage
@_exported import Tensors
@_exported import Tokenization
@_exported import TreeSSMText
