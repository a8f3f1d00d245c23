console.log("not JSON");
