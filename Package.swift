// swift-tools-version: 6.1

import PackageDescription

let argumentParser = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "MambaTreeL",
    products: [
        .library(
            name: "MambaTreeL",
            targets: ["MambaTreeL"]),
        .library(name: "Kernels", targets: ["TreeTopology", "Tensors", "Threads", "Kernels"]),
        .executable(name: "mtl-finetune", targets: ["mtl-finetune"]),
        .executable(name: "mtl-eval", targets: ["mtl-eval"]),
        .executable(name: "mtl-chat", targets: ["mtl-chat"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
    ],
    targets: [
        // C libraries and kernels.
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(
            name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(
            name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
        .systemLibrary(
            name: "CYaml", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .target(name: "CSentencePiece", linkerSettings: [.linkedLibrary("sentencepiece")]),
        .target(name: "CKernels"),
        .target(name: "CThreads"),
        .target(name: "CFileSystem"),
        .target(name: "CLibEdit", linkerSettings: [.linkedLibrary("edit")]),

        // Libraries, each importing only what stands above it.
        .target(name: "TreeTopology"),
        .target(name: "Tensors", dependencies: ["TreeTopology"]),
        .target(name: "Threads", dependencies: ["CThreads"]),
        .target(
            name: "Kernels", dependencies: ["CKernels", "Tensors", "Threads", "TreeTopology"]),
        .target(name: "Python"),
        .target(name: "RegularExpressions", dependencies: ["CPCRE2", "Python"]),
        .target(
            name: "Storage", dependencies: ["CCrypto", "CFileSystem", "CZlib", "CZstd", "Python"]),
        .target(name: "Tokenization", dependencies: ["CSentencePiece", "Storage"]),
        .target(name: "YAML", dependencies: ["CYaml", "Storage"]),
        .target(
            name: "Reports", dependencies: ["Storage"],
            resources: [
                .embedInCode("Resources/report.css"), .embedInCode("Resources/report.js"),
            ]),
        .target(name: "Hub", dependencies: ["CCurl", "Storage"]),
        .target(name: "Jinja", dependencies: ["Python", "RegularExpressions"]),
        .target(name: "Layers", dependencies: ["Tensors", "Storage"]),
        .target(
            name: "MambaLM", dependencies: ["Layers", "Tensors", "TreeTopology", "Storage"]),
        .target(name: "TreeSSMText", dependencies: ["MambaLM", "Tensors", "TreeTopology"]),
        .target(name: "LoRA", dependencies: ["Layers", "Tensors", "Storage"]),
        .target(name: "Prompting", dependencies: ["Storage", "Tokenization", "Jinja"]),
        .target(
            name: "FineTuning",
            dependencies: [
                "LoRA", "Layers", "Tensors", "Threads", "Storage", "Tokenization", "Prompting",
            ],
            resources: [.embedInCode("Resources/alpaca-schema.json")]),
        .target(
            name: "Evaluation",
            dependencies: [
                "MambaLM", "Tensors", "Storage", "Python", "RegularExpressions", "Tokenization",
                "Jinja", "YAML",
            ],
            resources: [
                .embedInCode("BuiltInTasks"), .embedInCode("PythonTasks/task_functions.py"),
            ]),
        .target(
            name: "GGUF",
            dependencies: ["LoRA", "Layers", "MambaLM", "Tensors", "Storage", "Tokenization"]),
        .target(
            name: "Chat",
            dependencies: ["MambaLM", "Tensors", "Storage", "Tokenization", "Prompting"]),
        .target(
            name: "ModelLoading",
            dependencies: [
                "LoRA", "TreeSSMText", "MambaLM", "Kernels", "Tensors", "Storage", "Tokenization",
                "Prompting", "Hub",
            ]),
        .target(
            name: "MambaTreeL",
            dependencies: [
                "Storage", "Tensors", "Kernels", "Tokenization", "Layers", "MambaLM", "TreeSSMText",
                "LoRA", "Prompting", "FineTuning", "Evaluation", "GGUF", "Chat", "Hub",
                "ModelLoading",
            ]),
        .target(
            name: "CommandSupport",
            dependencies: [
                "ModelLoading", "LoRA", "TreeSSMText", "TreeTopology", "MambaLM", "Kernels",
                "Tensors", "Storage", "Python", "Tokenization", "Hub", "YAML", argumentParser,
            ]),
        .target(
            name: "ChatTerminal",
            dependencies: ["CLibEdit", "Chat", "Prompting", "CommandSupport", "Storage", "Python"]),

        // Commands.
        .executableTarget(
            name: "mtl-finetune",
            dependencies: [
                "FineTuning", "Evaluation", "GGUF", "Prompting", "YAML", "Reports", "Hub",
                "ModelLoading", "CommandSupport", "Python", argumentParser,
            ],
            resources: [.embedInCode("Recipes")]),
        .executableTarget(
            name: "mtl-eval",
            dependencies: [
                "Evaluation", "FineTuning", "Prompting", "Reports", "Hub", "ModelLoading",
                "CommandSupport", "Python", argumentParser,
            ]),
        .executableTarget(
            name: "mtl-chat",
            dependencies: [
                "Chat", "ChatTerminal", "Prompting", "ModelLoading", "CommandSupport", "Python",
                argumentParser,
            ]),

        // Tests, one target beside each library; they run in release (see CONTRIBUTING.md).
        .target(
            name: "TestSupport", dependencies: ["Kernels", "Tensors", "Storage", "Tokenization"],
            path: "Tests/TestSupport"),
        .testTarget(name: "TreeTopologyTests", dependencies: ["TreeTopology", "TestSupport"]),
        .testTarget(name: "ThreadsTests", dependencies: ["Threads", "TestSupport"]),
        .testTarget(name: "KernelsTests", dependencies: ["Kernels", "CKernels", "TestSupport"]),
        .testTarget(name: "PythonTests", dependencies: ["Python", "TestSupport"]),
        .testTarget(name: "RegularExpressionsTests", dependencies: ["RegularExpressions"]),
        .testTarget(
            name: "StorageTests", dependencies: ["Storage", "TestSupport"],
            exclude: ["Fixtures"]),
        .testTarget(name: "YAMLTests", dependencies: ["YAML", "Storage", "TestSupport"]),
        .testTarget(name: "ReportsTests", dependencies: ["Reports", "Storage", "TestSupport"]),
        .testTarget(name: "HubTests", dependencies: ["Hub", "Storage", "TestSupport"]),
        .testTarget(
            name: "TokenizationTests", dependencies: ["Tokenization", "Storage", "TestSupport"],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "JinjaTests", dependencies: ["Jinja", "Python", "TestSupport"],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "MambaLMTests", dependencies: ["MambaLM", "Storage", "TestSupport"],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "TreeSSMTextTests",
            dependencies: ["TreeSSMText", "MambaLM", "Storage", "TestSupport"],
            exclude: ["Fixtures"]),
        .testTarget(name: "LoRATests", dependencies: ["LoRA", "TestSupport"]),
        .testTarget(
            name: "PromptingTests", dependencies: ["Prompting", "Tokenization", "TestSupport"],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "FineTuningTests",
            dependencies: ["FineTuning", "TreeSSMText", "CommandSupport", "TestSupport"],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "GGUFTests", dependencies: ["GGUF", "CommandSupport", "TestSupport"],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "EvaluationTests",
            dependencies: [
                "Evaluation", "YAML", "TreeSSMText", "MambaLM", "Kernels", "Tensors", "Storage",
                "Python",
                "Tokenization",
                "TestSupport",
            ],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "ChatTests",
            dependencies: [
                "Chat", "FineTuning", "TreeSSMText", "LoRA", "CommandSupport", "TestSupport",
            ]),
        .testTarget(
            name: "ChatTerminalTests",
            dependencies: ["ChatTerminal", "Chat", "CommandSupport", "TestSupport"]),
        .testTarget(
            name: "ModelLoadingTests",
            dependencies: ["ModelLoading", "MambaTreeL", "LoRA", "Storage", "TestSupport"]),
        .testTarget(
            name: "CommandSupportTests",
            dependencies: ["CommandSupport", "ModelLoading", "TreeSSMText", "TestSupport"]),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "mtl-finetune", "mtl-eval", "mtl-chat", "CommandSupport", "YAML", "Kernels",
                "Storage", "TestSupport",
            ]),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
