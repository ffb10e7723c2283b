// What the compiler of tsconfig.json does not see.
import js from "@eslint/js";

export default [
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "no-undef": "off", // the compiler knows better what a browser has
      "no-unused-vars": "off", // as well
      "no-var": "error",
      "prefer-const": ["error", { destructuring: "all" }],
      eqeqeq: "error",
      "no-shadow": "error",
      "object-shorthand": "error",
    },
  },
  {
    // pages/ui/scripts.py joins modules by these forms alone.
    files: ["pages/ui/**/*.js"],
    rules: {
      "no-restricted-syntax": ["error",
        { selector: "ImportDeclaration:not(:has(ImportSpecifier))", message: "import { names } from a file" },
        { selector: "ExportNamedDeclaration[declaration=null][specifiers.length>0]", message: "export where it is declared" },
        { selector: "ExportAllDeclaration", message: "export where it is declared" },
      ],
    },
  },
];
