// swift-tools-version: 6.1

import PackageDescription

// What a package that uses MambaTreeL looks like: `.ci/run` builds and runs it.
let package = Package(
    name: "Examples",
    dependencies: [.package(name: "MambaTreeL", path: "../")],
    targets: [
        .executableTarget(
            name: "teach", dependencies: [.product(name: "MambaTreeL", package: "MambaTreeL")]),
        .executableTarget(
            name: "score", dependencies: [.product(name: "MambaTreeL", package: "MambaTreeL")]),
    ],
    swiftLanguageModes: [.v6]
)
