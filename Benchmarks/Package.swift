// swift-tools-version: 6.1

import PackageDescription

let package = Package(
    name: "Benchmarks",
    dependencies: [
        .package(name: "MambaTreeL", path: "../"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    ],
    targets: [
        .target(name: "CRoofline"),
        .executableTarget(
            name: "roofline",
            dependencies: [
                "CRoofline",
                .product(name: "MambaTreeL", package: "MambaTreeL"),
                .product(name: "Kernels", package: "MambaTreeL"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
